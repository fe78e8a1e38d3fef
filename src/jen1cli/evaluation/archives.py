"""Arrays from .npz files that others may have made: whole, without pickle, in bounded memory."""

import io
import zipfile
from pathlib import Path

import numpy as np

_ALWAYS_BYTES = 2**26  # unpacked, of any file
_MOST_GROWTH = 100  # of larger ones: unpacked size over size; ours grow less than twice


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file by name.

    Args:
        path: file, or a FIFO.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is no .npz file, damaged, or unpacks to far more than its size.
    """
    # zip files are read from their end
    with io.BytesIO(path.read_bytes()) if path.is_fifo() else path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as packed:
                _check_growth(packed, file.seek(0, io.SEEK_END))
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                return dict(arrays)
        except OSError:
            raise
        except Exception as error:  # zipfile, zlib and NumPy have many kinds for damage
            raise ValueError(str(error)) from error


def _check_growth(packed: zipfile.ZipFile, size: int) -> None:
    unpacked = sum(member.file_size for member in packed.infolist())
    if unpacked > max(_ALWAYS_BYTES, _MOST_GROWTH * size):
        raise ValueError(f"{size} bytes that unpack to {unpacked}")
