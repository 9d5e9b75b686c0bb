"""Products in bfloat16 are for processors that are faster with them, and for networks that do not round."""

from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch")

from catzip.models.layers.qat import precision  # noqa: E402
from catzip.models.layers.qat.modules import Rounding  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Not rounding, and what was found before is forgotten, before and after."""
    monkeypatch.setattr(Rounding, "on", False)
    precision._is_faster.cache_clear()
    yield
    precision._is_faster.cache_clear()


def in_hardware(monkeypatch: pytest.MonkeyPatch, avx512: bool, amx: bool = False) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)


@pytest.mark.parametrize("avx512,amx", [(True, False), (False, True)])
@pytest.mark.parametrize("seconds,enabled", [(0.5, True), (1.5, False)])
def test_a_trial_decides(avx512: bool, amx: bool, seconds: float, enabled: bool, monkeypatch):
    in_hardware(monkeypatch, avx512, amx)
    monkeypatch.setattr(precision, "_seconds", {torch.bfloat16: seconds, torch.float32: 1.0}.__getitem__)
    with precision.half_precision(CPU):
        product = torch.nn.functional.linear(torch.ones(2, 3), torch.ones(4, 3))
    assert product.dtype == (torch.bfloat16 if enabled else torch.float32)


def test_a_processor_without_it_is_not_tried(monkeypatch):
    in_hardware(monkeypatch, avx512=False)
    monkeypatch.setattr(precision, "_seconds", lambda kind: pytest.fail("tried"))
    with precision.half_precision(CPU):
        assert not torch.is_autocast_enabled("cpu")


def test_rounding_needs_all_bits(monkeypatch):
    in_hardware(monkeypatch, avx512=True)
    monkeypatch.setattr(precision, "_seconds", lambda kind: pytest.fail("tried"))
    monkeypatch.setattr(Rounding, "on", True)
    with precision.half_precision(CPU):
        assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float32])
def test_a_trial_takes_some_time(kind: torch.dtype):
    assert 0 < precision._seconds(kind) < 10
