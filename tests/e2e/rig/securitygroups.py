"""The security groups around a load balancer: its own, open at its ports, and those of the nodes, open to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from e2e.rig.wanted import CLUSTER_TAG, tags_of

if TYPE_CHECKING:
    from e2e.rig.wanted import Place, Wanted


class SecurityGroups:
    """Those of the load balancers of one cluster."""

    def __init__(self, place: Place, ec2: Any) -> None:
        self.place = place
        self.ec2 = ec2

    def find(self, name: str) -> list[str]:
        """The ids of a load balancer's own groups."""
        chosen = [
            {"Name": "group-name", "Values": [name]},
            {"Name": f"tag:{CLUSTER_TAG}", "Values": [self.place.cluster]},
        ]
        return [each["GroupId"] for each in self.ec2.describe_security_groups(Filters=chosen)["SecurityGroups"]]

    def ensure(self, name: str, wanted: Wanted) -> str:
        """Makes or changes a load balancer's own group, open at its ports; gives its id."""
        groups = self.find(name)
        if not groups:
            tags = [{"ResourceType": "security-group", "Tags": tags_of(self.place, wanted, "ManagedLBSecurityGroup")}]
            made = self.ec2.create_security_group(
                GroupName=name, Description="managed", VpcId=self.place.vpc, TagSpecifications=tags
            )
            groups = [made["GroupId"]]
        found = self.ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"][0]
        there = {(each["FromPort"], each["IpRanges"][0]["CidrIp"]) for each in found["IpPermissions"]}
        should = {(port, cidr) for port in wanted.ports for cidr in wanted.cidrs}
        if new := [_permission(*each) for each in sorted(should - there)]:
            self.ec2.authorize_security_group_ingress(GroupId=groups[0], IpPermissions=new)
        if old := [_permission(*each) for each in sorted(there - should)]:
            self.ec2.revoke_security_group_ingress(GroupId=groups[0], IpPermissions=old)
        group: str = groups[0]
        return group

    def _node_groups(self) -> list[dict[str, Any]]:
        tag = f"tag:kubernetes.io/cluster/{self.place.cluster}"
        chosen = [{"Name": tag, "Values": ["owned", "shared"]}, {"Name": "vpc-id", "Values": [self.place.vpc]}]
        found: list[dict[str, Any]] = self.ec2.describe_security_groups(Filters=chosen)["SecurityGroups"]
        return found

    def open_nodes(self, group: str) -> None:
        """Lets a load balancer's group into the nodes'."""
        for node in self._node_groups():
            if not _admits(node, group):
                self.ec2.authorize_security_group_ingress(GroupId=node["GroupId"], IpPermissions=[_from(group)])

    def remove(self, name: str) -> None:
        """Takes a load balancer's own groups away, and their openings first."""
        for group in self.find(name):
            for node in self._node_groups():
                if _admits(node, group):
                    self.ec2.revoke_security_group_ingress(GroupId=node["GroupId"], IpPermissions=[_from(group)])
            self.ec2.delete_security_group(GroupId=group)


def _permission(port: int, cidr: str) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}


def _from(group: str) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "UserIdGroupPairs": [{"GroupId": group}]}


def _admits(node: dict[str, Any], group: str) -> bool:
    return any(pair["GroupId"] == group for rule in node["IpPermissions"] for pair in rule["UserIdGroupPairs"])
