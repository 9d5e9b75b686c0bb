"""What a run says about the machine."""

from pathlib import Path

import pytest

from catzip.benchmarks.machine import describe


@pytest.mark.parametrize("device", ["cpu", "torch"])
def test_the_device_that_was_asked_for_is_named(device: str, monkeypatch: pytest.MonkeyPatch):
    """Also where there is a GPU."""
    pytest.importorskip("torch")
    monkeypatch.setattr(Path, "exists", lambda path: True)
    facts = describe(device, None)
    assert facts["device"] == device
    assert ("torch" in facts) == (device != "cpu")  # whose version its times depend on


def test_a_device_that_lacks_pytorch_is_named_all_the_same(monkeypatch: pytest.MonkeyPatch):
    """As where only the peers are measured."""
    monkeypatch.setattr("catzip.benchmarks.machine.find_spec", lambda name: None)
    assert "torch" not in describe("torch", None)


def test_without_a_driver_the_device_is_the_cpu(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Path, "exists", lambda path: False)
    assert describe("auto", 3)["device"] == "cpu"
    assert describe("auto", 3)["cores"].endswith(" 3 used")
