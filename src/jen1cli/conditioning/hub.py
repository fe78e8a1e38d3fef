"""Fetch a text encoder from the Hugging Face hub, once."""

from pathlib import Path

from jen1cli.errors import CheckpointError, needs_extra

FILES = ["config.json", "model*.safetensors", "*.safetensors.index.json", "tokenizer*", "spiece*"]


def download(source: str, revision: str | None) -> Path:
    """Return the local folder of a hub model, downloading it only when it is not there.

    Raises:
        CheckpointError: the download fails; the message says what to do.
        MissingExtraError: huggingface_hub is not installed.
    """
    with needs_extra("hub", f"the text encoder '{source}' comes from the Hugging Face hub"):
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    try:
        folder = Path(snapshot_download(source, revision=revision, local_files_only=True))
        if (folder / "config.json").is_file() and any(folder.glob("*.safetensors")):
            return folder
    except (LocalEntryNotFoundError, ValueError, OSError):
        pass
    try:
        HfApi().model_info(source, revision=revision, timeout=10)  # fails at once, not in 20 s
        return Path(snapshot_download(source, revision=revision, allow_patterns=FILES))
    except Exception as error:  # the hub's HTTP library, and so its errors, changes by version
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CheckpointError(
            f"cannot get the text encoder '{source}' (revision {revision}) from the hub: {reason};"
            " connect once to download it, or copy it into a folder and name that folder as"
            " 'source', with 'revision' null, under 'text' in config.json"
        ) from error
