"""A store that speaks S3, for the tests of backups: prints its port, and ends when its input does."""

import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
client = boto3.client(
    "s3",
    endpoint_url=f"http://{host}:{port}",
    region_name="us-east-1",
    aws_access_key_id="of-a-test",
    aws_secret_access_key="of-a-test",
)
client.create_bucket(Bucket="backups")
print(port, flush=True)
sys.stdin.read()
