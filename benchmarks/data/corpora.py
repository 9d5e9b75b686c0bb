"""The public test corpora: their sizes, digests and test parts. Data only; `datasets.py` finds the files.

A digest is written `algorithm:hex`. Those of the two whole 100 MB sets are the ones their author publishes
(Mahoney, "About the Test Data", mattmahoney.net/dc/textdata.html).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublicCorpus:
    """One public file, and which of its bytes a compressor is judged on.

    `test` is the (start, stop) of the test part in the whole file, stop None meaning its end. Where only a
    slice of the file is at hand, the test part is the slice's first `slice_test` bytes.
    """

    folder: str
    size: int
    digest: str
    test: tuple[int, int | None] = (0, None)
    test_is: str = "the whole file"
    slice_test: int = 0


_CALGARY = {
    "bib": (111261, "sha256:0f1a13936e358191533aca4a32ff42906d1b7f641f3afb0a90458b2410419fcf"),
    "book1": (768771, "sha256:9ffa47cd93bccd732f20e0c304203cfbc1b8a91bedac536e2d8f6051003d9951"),
    "book2": (610856, "sha256:c8538730cf2ce6a243acf3eb299c43d619b5c695d892f4884df796c13081fdf8"),
    "geo": (102400, "sha256:913ff6f45610599020c02f543a0d5a1f46cf772412e25a568b683d23db8c447d"),
    "news": (377109, "sha256:7f0482f9774681429eb7021050c17966f6acf19450e170de6611e1ed953d42e8"),
    "obj1": (21504, "sha256:8c06109caffd7e794516e4ed10095b0238ea8df63ed66840907cd4dd23e2cf72"),
    "obj2": (246814, "sha256:8b3e7f028bfefaebdd48a791060a1ab11d1ffd9bf27e0d63b15e58dda0deb984"),
    "paper1": (53161, "sha256:8d9c42d9fa58b5bce1a8b5fae3cc27c9eb7cc7a032bc12a633d44e816497e143"),
    "paper2": (82199, "sha256:dc4b9cf68094c632a920f4e76d0a0a8b9617b624c36928ca46a5d29798c5bbbe"),
    "paper3": (46526, "sha256:c3e1ba94849992147cf68531311cf6512c9032b88f548d3e2d62cb659aef19d8"),
    "paper4": (13286, "sha256:aeecc3ff5b2e497e35fbd2d2190627fff4818dabf7aee9734ac090c21b04739b"),
    "paper5": (11954, "sha256:7a4b1ee6aa419ca362a9bbae383287fe8fee4324c9d6aefa7e94b6d845452ee8"),
    "paper6": (38105, "sha256:8f38dd101a4e0c0e4acefec93d5da8198db593557e9e0019140e2dff24b1b080"),
    "pic": (513216, "sha256:0ec3a75089bb52342813496b17e51377bc9eba3cb519a444d67025354841d650"),
    "progc": (39611, "sha256:151377a9d6aa9b7e872000269707a15e2b038c826340628e6f4d8b4db9ec3c19"),
    "progl": (71646, "sha256:9388db0cfb71ffbe5687d381819a5ff69cdd992d6931e0cf81a310a1caed0ba0"),
    "progp": (49379, "sha256:d0cd70ab5f7381a8584b25fa73b3608571a17ee1042cc5c546f63b904614d1bc"),
    "trans": (93695, "sha256:117a00c6af3e1c57f20013a8f1b468158f70634f685a348bedb7e4069cdd576a"),
}

CORPORA: dict[str, PublicCorpus] = {
    "text8": PublicCorpus(
        folder="text8",
        size=100_000_000,
        digest="md5:3bea1919949baf155f99411df5fada7e",
        test=(95_000_000, None),
        test_is="the standard test split, its last 5,000,000 bytes",
        slice_test=5_000_000,
    ),
    "enwik8": PublicCorpus(
        folder="enwik8",
        size=100_000_000,
        digest="md5:a1fa5ffddb56f4953e226637dabbb36a",
        test=(95_000_000, None),
        test_is="the standard test split, its last 5,000,000 bytes",
        slice_test=2_000_000,
    ),
    "dickens": PublicCorpus(
        folder="silesia",
        size=10_192_446,
        digest="sha256:b24c37886142e11d0ee687db6ab06f936207aa7f2ea1fd1d9a36763c7a507e6a",
    ),
    # Models may have been trained on samba's first 8,000,000 bytes, so they are never a test here.
    "samba": PublicCorpus(
        folder="silesia",
        size=21_606_400,
        digest="sha256:93ba07bc44d8267789c1d911992f40b089ffa2140b4a160fac11ccae9a40e7b2",
        test=(8_000_000, None),
        test_is="the bytes from 8,000,000 on (those before may be training data)",
    ),
    **{f"calgary/{name}": PublicCorpus("calgary", size, digest) for name, (size, digest) in _CALGARY.items()},
}

# Digests of slices that are known, by name of file; another slice is used too, and called unverified.
SLICES = {
    "text8.1000000-7475756": "sha256:709c50f578c0965f45f212bd604d524fee29cf1c66101c31ff66e619461c0274",
    "enwik8.1000000-4154399": "sha256:958099c05f3df97a0bf656b1b066a46cb63742cea27a26275a66fe2d0f8a0067",
}

_ENGLISH = ("book1", "book2", "paper1", "paper2", "paper3", "paper4", "paper5", "paper6", "news")

GROUPS: dict[str, tuple[str, ...]] = {
    "calgary": tuple(f"calgary/{name}" for name in _CALGARY),
    "calgary-english": tuple(f"calgary/{name}" for name in _ENGLISH),
}
