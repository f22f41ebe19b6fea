"""Rows of the planned waves' manifests: each wave has those that its digest was made of, each path is in one wave."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fruits_pipeline import schemas
from fruits_pipeline.ingest.manifests import RowsDigest
from fruits_pipeline.ingest.runs import Run, in_order
from fruits_pipeline.state.plan import PlannedWave
from fruits_pipeline.verify.contents import PARQUET_FAULTS, THREADED, Contents, first_line
from fruits_pipeline.verify.findings import Finding, Kind

_BATCH_ROWS = 32_768


def check_manifests(contents: Contents, waves: Sequence[PlannedWave]) -> Iterator[Finding]:
    """Reads the manifest of each wave once, and merges all in order of path, a window at a time."""
    manifests = [_Manifest(wave, contents) for wave in waves]
    keys = {wave.wave: wave.manifest.key for wave in waves}
    windows = in_order(Run(manifest.wave.first, manifest.tables) for manifest in manifests)
    for path, one, other in _repeated(windows):
        places = " and ".join(sorted({keys[one], keys[other]}))
        yield Finding(Kind.TWICE, places, f"{path!r} once", "it twice")
    for manifest in manifests:
        yield from manifest.findings()


class _Manifest:
    """One manifest, whose rows are digested and counted as they are merged."""

    def __init__(self, wave: PlannedWave, contents: Contents) -> None:
        self.wave = wave
        self._contents = contents
        self._digest = RowsDigest()
        self._rows = 0
        self._skipped: Counter[str] = Counter()
        self._damage: Finding | None = None

    def tables(self) -> Iterator[pa.Table]:
        """Columns ``path, wave``; ends early where the file is damaged."""
        try:
            yield from self._tables(self._contents.read(self.wave.manifest))
        except PARQUET_FAULTS as error:
            self._damage = self._finding(Kind.SCHEMA, "Parquet that can be read", first_line(error))

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the manifest, once it was read."""
        if self._damage is not None:
            yield self._damage
            return
        counts, digest = self.wave.counts, self._digest.hexdigest()
        if digest != self.wave.digest:
            expected = f"rows of digest {self.wave.digest} as listed"
            yield self._finding(Kind.MANIFEST, expected, f"rows of digest {digest}")
        skipped = dict(sorted(self._skipped.items()))
        if (self._rows, skipped) != (counts.found, counts.skip_reasons):
            expected = f"{counts.found} rows, skipped {counts.skip_reasons}, as listed"
            yield self._finding(Kind.COUNTS, expected, f"{self._rows} rows, skipped {skipped}")

    def _tables(self, content: bytes) -> Iterator[pa.Table]:
        with pq.ParquetFile(pa.BufferReader(content)) as parquet:
            faults = schemas.differences(parquet.schema_arrow, schemas.MANIFEST)
            if faults:
                self._damage = self._finding(Kind.SCHEMA, "the columns of this dataset", "; ".join(faults))
                return
            for batch in parquet.iter_batches(_BATCH_ROWS, columns=schemas.MANIFEST.names, use_threads=THREADED):
                table = pa.Table.from_batches([batch])
                table.validate(full=True)
                self._digest.update(table)
                self._rows += len(table)
                self._skipped.update(table["skip_reason"].drop_null().to_pylist())
                paths = table.select(["path"]).drop_null()
                if len(paths):
                    yield paths.append_column("wave", pa.repeat(pa.scalar(self.wave.wave), len(paths)))

    def _finding(self, kind: Kind, expected: str, found: str) -> Finding:
        return Finding(kind, self.wave.manifest.key, expected, found)


def _repeated(windows: Iterable[pa.Table]) -> Iterator[tuple[str, str, str]]:
    """Each path that stands in two rows that follow one another, and the waves of the two."""
    last = pa.table({"path": pa.array([None], pa.string()), "wave": pa.array([None], pa.string())})
    for window in windows:
        rows = pa.concat_tables([last, window]).combine_chunks()
        paths, waves = rows["path"], rows["wave"]
        for place in pc.indices_nonzero(pc.equal(paths[1:], paths[:-1])).to_pylist():
            yield paths[place].as_py(), waves[place].as_py(), waves[place + 1].as_py()
        last = rows.slice(len(rows) - 1)
