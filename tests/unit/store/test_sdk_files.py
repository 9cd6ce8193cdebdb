from __future__ import annotations

import gzip

import pytest
from aiobotocore.session import get_session

from service.store.sdk_files import SERVICES, SdkFiles, read_less

REGIONS = ("us-east-1", "eu-central-2", "ap-southeast-7", "us-gov-west-1", "cn-north-1", "us-iso-east-1", "xx-new-9")


@pytest.fixture(autouse=True)
def _no_endpoint_of_a_test(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)


def sdk_session():
    session = get_session()
    read_less(session)
    return session


async def whom_it_asks(session, service, region):
    async with session.create_client(service, region_name=region) as client:
        meta = client.meta
        signing = (client._request_signer.signing_name, client._request_signer.region_name)
        return meta.endpoint_url, meta.region_name, meta.partition, signing


@pytest.mark.parametrize("service", SERVICES)
async def test_a_client_asks_the_same_endpoint_as_the_sdks_own(service):
    ours, own = sdk_session(), get_session()
    regions = await own.get_available_regions(service) if service == "dynamodb" else []
    for region in {*regions, *REGIONS}:
        assert await whom_it_asks(ours, service, region) == await whom_it_asks(own, service, region)


@pytest.mark.parametrize("service", SERVICES)
async def test_the_regions_of_a_service_are_all_known(service):
    ours, own = sdk_session(), get_session()
    for partition in own.get_available_partitions():
        theirs = await own.get_available_regions(service, partition)
        assert await ours.get_available_regions(service, partition) == theirs
    assert await own.get_available_regions(service)


def test_of_other_services_no_endpoint_is_kept():
    partitions = sdk_session().get_component("data_loader").load_data("endpoints")["partitions"]
    assert {name for partition in partitions for name in partition["services"]} <= set(SERVICES.values())


def test_what_else_is_in_the_files_is_read_as_it_is():
    ours, own = (session.get_component("data_loader") for session in (sdk_session(), get_session()))
    assert ours.load_service_model("dynamodb", "service-2") == own.load_service_model("dynamodb", "service-2")


def test_a_file_may_be_compressed_or_missing(tmp_path):
    (tmp_path / "plain.json").write_bytes(b'{"a": 1}')
    (tmp_path / "small.json.gz").write_bytes(gzip.compress(b'{"b": 2}'))
    files = SdkFiles()
    assert files.load_file(str(tmp_path / "plain")) == {"a": 1}
    assert files.load_file(str(tmp_path / "small")) == {"b": 2}
    assert files.load_file(str(tmp_path / "none")) is None
