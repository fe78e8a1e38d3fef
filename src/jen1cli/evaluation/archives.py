"""Arrays from .npz files that others may have made: checked to be whole, in bounded memory."""

import io
import zipfile
from pathlib import Path

import numpy as np

from jen1cli.evaluation.distances import Gaussian

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
                found = dict(arrays)
            if not all(isinstance(each, np.ndarray) for each in found.values()):
                raise ValueError("a member that is no array")  # NumPy gives its bytes
            return found
        except OSError:
            raise
        except Exception as error:  # zipfile, zlib and NumPy have many kinds for damage
            raise ValueError(str(error)) from error


def _check_growth(packed: zipfile.ZipFile, size: int) -> None:
    unpacked = sum(member.file_size for member in packed.infolist())
    if unpacked > max(_ALWAYS_BYTES, _MOST_GROWTH * size):
        raise ValueError(f"{size} bytes that unpack to {unpacked}")


def check_statistics(
    gaussian: Gaussian, rows: np.ndarray, owners: np.ndarray, labels: np.ndarray | None
) -> None:
    """Refuse stored statistics of an embedding whose arrays do not fit together.

    Args:
        gaussian: mean [features] and covariance [features, features].
        rows: embeddings [windows, features].
        owners: clip of each row [windows].
        labels: mean distribution [1, classes].

    Raises:
        ValueError: a shape or kind is wrong, or a value is not finite.
    """
    mean, covariance = gaussian.mean, gaussian.covariance
    features = (mean.size,)
    shapes = [(mean, features), (covariance, 2 * features), (rows, rows.shape[:1] + features)]
    if labels is not None:
        shapes.append((labels, (1, *labels.shape[-1:])))
    if any(each.shape != right or each.dtype.kind != "f" for each, right in shapes):
        raise ValueError("arrays of other shapes or kinds")
    if not rows.size or owners.shape != rows.shape[:1] or owners.dtype.kind not in "iu":
        raise ValueError("no rows, or none with an owner")
    if gaussian.count < 2 or not all(np.isfinite(each).all() for each, _ in shapes):
        raise ValueError("too few rows, or values that are not finite")
