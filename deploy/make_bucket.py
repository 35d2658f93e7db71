"""Makes a bucket on the store that the environment names, where it is not there yet. Needs Python's own library alone.

    python make_bucket.py NAME

Buckets are made by the store's own tools otherwise; this is for the compose file, whose image has none. The request is
signed as AWS asks for (Signature Version 4).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from urllib.parse import urlsplit

EMPTY = hashlib.sha256(b"").hexdigest()


def main() -> None:
    """Exit code 0 where the bucket is there afterwards."""
    if len(sys.argv) != 2:
        sys.exit("usage: make_bucket.py NAME")
    endpoint, region = os.environ["AWS_ENDPOINT_URL"], os.environ.get("AWS_REGION", "us-east-1")
    request = signed(
        endpoint, sys.argv[1], region, os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    )
    try:
        with urllib.request.urlopen(request, timeout=30):
            print(f"made the bucket {sys.argv[1]}")
    except urllib.error.HTTPError as error:
        words = error.read().decode("utf-8", "replace")
        if error.code == 409 and "BucketAlready" in words:
            print(f"the bucket {sys.argv[1]} is there")
            return
        sys.exit(f"the bucket {sys.argv[1]} cannot be made: {error.code} {words[:300]}")


def signed(endpoint: str, bucket: str, region: str, key: str, secret: str) -> urllib.request.Request:
    """`PUT /bucket`, signed."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    headers = {"host": urlsplit(endpoint).netloc, "x-amz-content-sha256": EMPTY, "x-amz-date": now}
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    asked = f"PUT\n/{bucket}\n\n{lines}\n{names}\n{EMPTY}"
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
    step = ("AWS4" + secret).encode()
    for piece in scope.split("/"):
        step = hmac.new(step, piece.encode(), hashlib.sha256).digest()
    signature = hmac.new(step, text.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return urllib.request.Request(f"{endpoint}/{bucket}", method="PUT", headers=headers, data=b"")


if __name__ == "__main__":
    main()
