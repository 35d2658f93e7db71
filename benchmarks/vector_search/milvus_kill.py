"""What Milvus Lite keeps when its process is killed while rows come in, and how long it takes to open again.

python benchmarks/milvus_kill.py
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from pymilvus import DataType, MilvusClient

SIZE = 3584
NAME = "rows"
BATCH = 200


def write(path: str) -> None:
    """Insert for ever, and tell after each batch that has been accepted."""
    client = MilvusClient(path)
    schema = client.create_schema(auto_id=False)
    schema.add_field("row", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=SIZE)
    client.create_collection(NAME, schema=schema)
    random = np.random.default_rng(0)
    for begin in range(0, 100_000, BATCH):
        vectors = random.standard_normal((BATCH, SIZE), dtype=np.float32)
        client.insert(NAME, [{"row": begin + number, "vector": vector} for number, vector in enumerate(vectors)])
        print(begin + BATCH, flush=True)


def main() -> None:
    if len(sys.argv) > 1:
        write(sys.argv[1])
        return
    for dimension in (32_768, 32_769):
        with tempfile.TemporaryDirectory() as place:
            client = MilvusClient(str(Path(place) / "t.db"))
            try:
                client.create_collection("t", dimension=dimension)
                print(f"dimension {dimension}: accepted")
            except Exception as error:  # noqa: BLE001  the refusal is the finding
                print(f"dimension {dimension}: {type(error).__name__} {str(error)[:200]}")
            client.close()
    with tempfile.TemporaryDirectory() as place:
        path = str(Path(place) / "milvus.db")
        writer = subprocess.Popen([sys.executable, __file__, path], stdout=subprocess.PIPE, text=True)
        accepted = 0
        assert writer.stdout is not None
        while accepted < 3000:
            accepted = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        accepted = max([accepted, *(int(line) for line in writer.stdout)])
        writer.wait()
        print(f"killed after {accepted} rows had been accepted")
        began = time.perf_counter()
        client = MilvusClient(path)
        client.load_collection(NAME)
        found = client.query(NAME, output_fields=["count(*)"])[0]["count(*)"]
        print(f"opened again in {time.perf_counter() - began:.1f} s: {found} rows")
        client.close()


if __name__ == "__main__":
    main()
