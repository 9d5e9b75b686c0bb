"""Every command explains itself, stands in the README, and answers --help at once."""

import resource
import subprocess
import sys

import click
import pytest
from clitools import CATZIP, catzip
from helpers import TESTS

from catzip.cli import cli
from catzip.models.backends.native.library import described

README = TESTS.parent / "README.md"


def every_command(group=cli, path=()):
    """Yields (words, command) for each command, groups included."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))


COMMANDS = dict(every_command())


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_option_has_help(words):
    command = COMMANDS[words]
    assert command.help
    for parameter in command.params:
        assert isinstance(parameter, click.Argument) or parameter.help, f"{parameter.name} has no help"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_is_in_the_readme(words):
    assert f"catzip {' '.join(words)}" in README.read_text()


def test_the_commands_of_the_interface_are_there():
    commands = {"compress", "decompress", "test", "list", "cat", "models", "sample", "train", "bench"}
    assert commands == {name for name, *rest in COMMANDS if not rest}


def test_help_and_version(tmp_path):
    import catzip as package

    for flag in ("--help", "-h"):
        assert b"compress" in catzip(flag, cwd=tmp_path).stdout
    shown = catzip("--version", cwd=tmp_path).stdout.decode().splitlines()
    assert shown == [f"catzip {package.__version__}", f"core: {described()}"]


IMPORTED = """
import sys
from catzip.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
with open("modules", "w") as file:
    file.write(" ".join(sys.modules))
"""
"""Runs a command and notes what it has imported."""

SLOW = {
    "torch",
    "safetensors",
    "PIL",
    "subprocess",
    "tempfile",
    "numpy.random",
    "logging",
    "concurrent.futures",
}
"""What neither help nor text takes."""


def modules_of(*words, cwd):
    """What a command imports."""
    subprocess.run([sys.executable, "-P", "-c", IMPORTED, *words], cwd=cwd, capture_output=True, check=True)
    return set((cwd / "modules").read_text().split())


def test_help_imports_no_heavy_package(tmp_path):
    found = modules_of("--help", cwd=tmp_path)
    assert not {*SLOW, "numpy", "constriction", "threadpoolctl", "msgspec", "ctypes"} & found


@pytest.mark.parametrize("threads", ["-T1", "-T2"])
def test_text_imports_what_text_takes(threads, tmp_path):
    """Each module takes its time at every start: what is for pictures, training or other commands is left out."""
    (tmp_path / "a.txt").write_bytes(b"some text, and some more text, and then no more " * 20)
    commands = [["compress", "a.txt", threads], ["decompress", "a.txt.catz", "-o", "b", threads]]
    for words in commands:
        found = modules_of(*words, cwd=tmp_path)
        assert not SLOW & found
        ours = {name.removeprefix("catzip.") for name in found if name.startswith("catzip.")}
        assert {name for name in ours if name.startswith("commands.")} <= LIGHT
        assert not {"compressor.pictures", "compressor.recompression.png", "models.card", "benchmarks"} & ours
        assert not {name for name in ours if name.startswith(("models.training", "models.families.idf"))}
        assert ("threadpoolctl" in found) == (
            described() == "numpy"
        )  # it holds the BLAS, where that computes


LIGHT = {
    f"commands.{name}"
    for name in ("compress", "decompress", "files", "messages", "names", "options", "progress", "removal")
} | {"commands.summary", "commands.version", "commands.work"}


def test_training_does_without_the_coder():
    """It runs where constriction is not installed."""
    pytest.importorskip("torch")
    code = "import sys, catzip.models.training, catzip.commands.train; print('constriction' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).stdout == b"False\n"


def test_help_is_instant():
    def seconds():  # of the processor, so that a busy machine does not count
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([CATZIP, "--help"], stdout=subprocess.DEVNULL, check=True)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        return end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime

    assert min(seconds() for _ in range(5)) < 0.3


@pytest.mark.parametrize(
    "words",
    [
        ["compress", "--no-such-option"],
        ["no-such-command"],
        ["compress", "a", "b", "-o", "c"],
        ["compress", "a", "-o", "c", "-c"],
        ["compress", "a", "-c", "--rm"],
        ["compress", "a", "-T", "-1"],
        ["compress", "a", "-k", "--rm"],
        ["compress", "a", "--fast", "--best"],
        ["compress", "a", "-m", "no-such-model"],
        ["sample", "-m", "no-such-model"],
        ["sample", "-m", "idf-mnist", "-n", "99999999999999999999", "-o", "c"],
        ["decompress", "a", "--device", "abacus"],
        ["bench"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_gives_2_and_touches_nothing(words, tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    catzip(*words, cwd=tmp_path, code=2)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_device_that_there_was_names_its_remedy(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    done = catzip("compress", "a", "--device", "cpu-int8", cwd=tmp_path, code=2)
    assert "take --device cpu" in done.stderr


def test_steps_of_samples_have_help_of_their_own(tmp_path):
    helps = [catzip(command, "--help", cwd=tmp_path).stdout for command in ("compress", "sample")]
    assert [b"smaller" in text[text.index(b"--steps") :] for text in helps] == [True, False]


def test_0_threads_are_as_many_as_by_default():
    (option,) = (option for option in COMMANDS["compress",].params if option.name == "threads")
    values = [option.process_value(click.Context(COMMANDS["compress",]), given) for given in ("0", None, "3")]
    assert values == [None, None, 3]


def test_python_m_catzip_is_the_same_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "catzip", "--help"], cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout.startswith(b"Usage: catzip")


@pytest.mark.parametrize(
    "words,said",
    [
        (["a"], "to compress: catzip compress FILE"),
        (["-d", "a.catz"], "to decompress: catzip decompress FILE.catz"),
        (["-19", "a"], "there are no levels"),
        (["compress", "-9", "a"], "there are no levels"),
    ],
    ids=str,
)
def test_habits_of_other_compressors_are_answered(words, said, tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    assert said in catzip(*words, cwd=tmp_path, code=2).stderr
    for wrong in ((), ("compress", "--no-such-option")):
        assert "catzip: " not in catzip(*wrong, cwd=tmp_path, code=2).stderr
