"""The state is written in a thread, as it was when the training saved it."""

import threading

import pytest
import torch
from accelerate import Accelerator

from jen1cli.training.engine import trainer as trainers
from jen1cli.training.engine.state import load_state
from jen1cli.training.engine.trainer import Budget, Trainer


class Counter:
    """A stage whose only weight is the number of its steps."""

    batch_size = 1

    def __init__(self):
        self.weight = torch.zeros(1)

    def train_step(self, step, share):
        self.weight += 1.0

    def state(self):
        return {"weight": self.weight}, {}

    def load_state(self, tensors, about):
        self.weight = tensors["weight"]

    def take_values(self):
        return {}

    def validate(self):
        self.weight += 100.0  # after the last state, which may not be written yet
        return {}

    def write_samples(self, folder):
        return ()

    def write_weights(self, folder, provenance):
        pass


@pytest.fixture
def make(tmp_path):
    def make():
        return Trainer(Counter(), tmp_path, Budget(steps=3), accelerator=Accelerator(cpu=True))

    return make


def test_a_state_is_that_of_its_step_however_late_it_is_written(make, tmp_path, monkeypatch):
    late, write = threading.Event(), trainers.save_state
    trainer = make()
    monkeypatch.setattr(trainers, "save_state", lambda *given: (late.wait(10), write(*given)))
    monkeypatch.setattr(trainer, "_sample", late.set)
    trainer.run()
    tensors, about = load_state(tmp_path / "state")
    assert (float(tensors["weight"]), about["step"]) == (3.0, 3)


def test_a_state_that_cannot_be_written_ends_the_training(make, monkeypatch):
    def full(*given):
        raise OSError("no space left")

    monkeypatch.setattr(trainers, "save_state", full)
    with pytest.raises(OSError, match="no space left"):
        make().run()
