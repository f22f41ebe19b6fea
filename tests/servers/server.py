"""What a test knows of a storage server, and clients of it that fill buckets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Server:
    """Where a server listens, and, for S3, who may use it."""

    url: str
    port: int
    access_key: str = ""
    secret_key: str = ""

    def environment(self) -> dict[str, str]:
        """Variables by which boto3, and whatever else asks as ``aws`` does, finds the server's credentials only."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        }

    def s3_client(self, url: str = "") -> Any:
        """boto3's client, straight to the server or by a proxy's ``url``."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=url or self.url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )

    def gcs_client(self, url: str = "") -> Any:
        """google-cloud-storage's client, straight to the server or by a proxy's ``url``."""
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import storage

        options = {"api_endpoint": url or self.url}
        return storage.Client(project="tests", credentials=AnonymousCredentials(), client_options=options)

    def fill_s3(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        """Makes the bucket where it is absent, and puts the objects there."""
        client = self.s3_client()
        if bucket not in (known["Name"] for known in client.list_buckets()["Buckets"]):
            client.create_bucket(Bucket=bucket)
        for key, content in objects.items():
            client.put_object(Bucket=bucket, Key=key, Body=content)
        client.close()

    def fill_gcs(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        """Makes the bucket where it is absent, and puts the objects there."""
        client = self.gcs_client()
        place = client.lookup_bucket(bucket) or client.create_bucket(bucket)
        for key, content in objects.items():
            place.blob(key).upload_from_string(content)
        client.close()
