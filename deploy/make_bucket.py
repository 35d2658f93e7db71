"""Create a bucket in the store that the environment names, unless it exists. Needs only the standard library.

    python make_bucket.py NAME

For the compose file, whose image has no tools of the store. The request is signed with AWS Signature Version 4.
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
    """Create the bucket; exit code 0 if it exists afterwards."""
    if len(sys.argv) != 2:
        sys.exit("usage: make_bucket.py NAME")
    endpoint, region = os.environ["AWS_ENDPOINT_URL"], os.environ.get("AWS_REGION", "us-east-1")
    request = signed(
        endpoint, sys.argv[1], region, os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    )
    try:
        with urllib.request.urlopen(request, timeout=30):
            print(f"created the bucket {sys.argv[1]}")
    except urllib.error.HTTPError as error:
        body = error.read().decode("utf-8", "replace")
        if error.code == 409 and "BucketAlready" in body:
            print(f"the bucket {sys.argv[1]} exists")
            return
        sys.exit(f"cannot create the bucket {sys.argv[1]}: {error.code} {body[:300]}")


def signed(endpoint: str, bucket: str, region: str, key: str, secret: str) -> urllib.request.Request:
    """The signed request `PUT /bucket`."""
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
