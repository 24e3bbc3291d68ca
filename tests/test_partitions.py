"""The partitions okgen knows are those of AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import botocore
import pytest

from okgen import resources
from okgen.resolve.partitions import Partition, all_partitions, partition_of, regions


def botocore_partitions() -> dict[str, dict[str, Any]]:
    path = os.path.join(os.path.dirname(botocore.__file__), "data", "partitions.json")
    with open(path, encoding="utf-8") as file:
        return {each["id"]: each for each in json.load(file)["partitions"]}


def source_version() -> tuple[int, ...]:
    source = json.loads(resources.read(f"{resources.folder('schemas')}/partitions.json"))["source"]
    return as_version(source.split()[1].rstrip(","))


def as_version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3])


@pytest.mark.parametrize(
    ("region", "partition", "dns_suffix", "oidc_host"),
    [
        ("eu-west-1", "aws", "amazonaws.com", "oidc.eks.eu-west-1.amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn", "oidc.eks.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com", "oidc.eks.us-gov-west-1.amazonaws.com"),
        ("us-iso-east-1", "aws-iso", "c2s.ic.gov", "oidc.eks.us-iso-east-1.c2s.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov", "oidc.eks.us-isob-east-1.sc2s.sgov.gov"),
        ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk", "oidc.eks.eu-isoe-west-1.cloud.adc-e.uk"),
        ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov", "oidc.eks.us-isof-south-1.csp.hci.ic.gov"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu", "oidc.eks.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_partition_of(region: str, partition: str, dns_suffix: str, oidc_host: str) -> None:
    found = partition_of(region)
    assert found is not None
    assert (found.name, found.dns_suffix, found.oidc_hosts(region)[0]) == (partition, dns_suffix, oidc_host)


def test_dual_stack_issuers() -> None:
    found = partition_of("eu-west-1")
    assert isinstance(found, Partition)
    assert found.oidc_hosts("eu-west-1")[1] == "oidc-eks.eu-west-1.api.aws"


@pytest.mark.parametrize("region", ["", "eu-west", "eu-west-1a", "EU-WEST-1", "aws-global", "cn-northwest-2"])
def test_unknown_region(region: str) -> None:
    assert partition_of(region) is None


def test_regions_are_known_once() -> None:
    assert len(set(regions())) == len(regions()) == sum(len(each.regions) for each in all_partitions())


def test_what_we_say_is_what_botocore_says() -> None:
    theirs = botocore_partitions()
    for ours in all_partitions():
        outputs = theirs[ours.name]["outputs"]
        assert (ours.dns_suffix, ours.dual_stack_dns_suffix) == (outputs["dnsSuffix"], outputs["dualStackDnsSuffix"])
        for region in set(ours.regions) & {name for each in theirs.values() for name in each["regions"]}:
            assert region in theirs[ours.name]["regions"]
        if as_version(botocore.__version__) >= source_version():
            assert set(ours.regions) <= set(theirs[ours.name]["regions"])


def test_nothing_of_botocore_is_missing() -> None:
    known = {
        name for each in botocore_partitions().values() for name in each["regions"] if not name.endswith("-global")
    }
    missing = sorted(known - set(regions()))
    if missing and as_version(botocore.__version__) > source_version():
        pytest.skip(f"AWS has grown: add {missing} of botocore {botocore.__version__} to schemas/partitions.json")
    assert not missing


def test_the_data_is_read_only_when_asked_for() -> None:
    code = "import sys, okgen.resolve.partitions; print(*{'json', 'okgen.resources'} & set(sys.modules))"
    path = {"PYTHONPATH": os.path.dirname(os.path.dirname(resources.__file__))}
    ran = subprocess.run([sys.executable, "-S", "-c", code], env=path, check=True, capture_output=True, text=True)
    assert not ran.stdout.strip()
