"""Prints what an account holds, as JSON: roles, managed policies, parameters, access entries and stacks.

What says when something was made or last changed stands apart, as its "revision".
"""

import json

import boto3

iam, ssm, eks, cloudformation = map(boto3.client, ["iam", "ssm", "eks", "cloudformation"])


def every(client, operation, key, **parameters):
    pages = client.get_paginator(operation).paginate(**parameters)
    return [item for page in pages for item in page[key]]


def tags_of(tags):
    """Without those that CloudFormation sets, whose keys begin with aws: and nobody else may set."""
    if isinstance(tags, list):
        tags = {tag["Key"]: tag["Value"] for tag in tags}
    return {key: value for key, value in tags.items() if not key.startswith("aws:")}


def role_of(name):
    role = iam.get_role(RoleName=name)["Role"]
    inline = every(iam, "list_role_policies", "PolicyNames", RoleName=name)
    attached = every(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name)
    return {
        "description": role.get("Description"),
        "maxSessionDurationSeconds": role["MaxSessionDuration"],
        "trust": role["AssumeRolePolicyDocument"],
        "inlinePolicies": {
            policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in inline
        },
        "managedPolicies": sorted(policy["PolicyArn"] for policy in attached),
        "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "tags": tags_of(every(iam, "list_role_tags", "Tags", RoleName=name)),
        "revision": [role["RoleId"], role["CreateDate"]],
    }


def policy_of(arn):
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    return {
        "description": policy.get("Description"),
        "document": version["Document"],
        "revision": [policy["PolicyId"], policy["DefaultVersionId"], policy["UpdateDate"]],
    }


def parameter_of(metadata):
    name = metadata["Name"]
    value = ssm.get_parameter(Name=name)["Parameter"]
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
    return {
        "type": value["Type"],
        "value": value["Value"],
        "tier": metadata["Tier"],
        "description": metadata.get("Description"),
        "tags": tags_of(tags),
        "revision": [value["Version"], value["LastModifiedDate"]],
    }


def access_entry_of(cluster, arn):
    entry = eks.describe_access_entry(clusterName=cluster, principalArn=arn)["accessEntry"]
    return {
        "type": entry["type"],
        "userName": entry["username"],
        "kubernetesGroups": entry["kubernetesGroups"],
        "tags": tags_of(entry["tags"]),
        "revision": [entry["accessEntryArn"], entry["createdAt"], entry["modifiedAt"]],
    }


def stack_of(stack):
    return {
        "outputs": {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        "isProtected": stack.get("EnableTerminationProtection", False),
        "revision": [stack["StackId"], stack["StackStatus"], stack.get("LastUpdatedTime")],
    }


roles = every(iam, "list_roles", "Roles")
policies = [policy["Arn"] for policy in every(iam, "list_policies", "Policies", Scope="Local")]
parameters = every(ssm, "describe_parameters", "Parameters")
entries = [
    (cluster, arn)
    for cluster in every(eks, "list_clusters", "clusters")
    for arn in every(eks, "list_access_entries", "accessEntries", clusterName=cluster)
]
stacks = every(cloudformation, "describe_stacks", "Stacks")

account = {
    "roles": {role["Arn"]: role_of(role["RoleName"]) for role in roles},
    "policies": {arn: policy_of(arn) for arn in policies},
    "parameters": {parameter["Name"]: parameter_of(parameter) for parameter in parameters},
    "accessEntries": {f"{cluster} {arn}": access_entry_of(cluster, arn) for cluster, arn in entries},
    "stacks": {stack["StackName"]: stack_of(stack) for stack in stacks},
}
print(json.dumps(account, default=str))
