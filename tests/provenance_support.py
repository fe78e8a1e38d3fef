"""Certificates for tests of signatures."""

import pytest


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """The user's folder of settings, empty; signing is on as for a user without options."""
    folder = tmp_path / "config"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    monkeypatch.delenv("JEN1_PROVENANCE", raising=False)
    return folder
