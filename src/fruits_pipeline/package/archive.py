"""Folders as archives that are equal, byte for byte, wherever and whenever they are made of equal files."""

import gzip
import tarfile
from pathlib import Path

# Level 6 is 3 % larger than 9 here, in a third of the time.
_LEVEL = 6


def archived(folder: Path, archive: Path) -> None:
    """Writes the files below ``folder``, in order of their names, to a ``.tar.gz`` that knows no time and no owner.

    Symbolic links are kept as links; of a file's mode only its right to be executed is kept.
    """
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for file in sorted(folder.rglob("*")):
            if file.is_symlink() or file.is_file():
                tar.add(file, str(file.relative_to(folder)), recursive=False, filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.mode & 0o100 else 0o644
    return member
