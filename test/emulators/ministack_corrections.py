"""Where MiniStack 1.5.33 is not like AWS in what deployments of IAM roles and access entries need.

Each function here restores one behaviour of AWS, named in a sentence. test/emulators/deployment-corrections.test.ts
shows each by itself: wrong without it, right with it. None knows anything of the templates that are deployed.
"""

import functools
import json
import re
import sys
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id
from ministack.services import eks, iam
from ministack.services.cloudformation import engine, provisioners

CORRECTIONS = {}


def restores(behaviour):
    """Keeps a correction by the behaviour of AWS that it restores."""

    def register(correct):
        CORRECTIONS[behaviour] = correct
        return correct

    return register


def around(module, function, wrapper):
    """Has a wrapper called in a function's place, with the function first, from wherever MiniStack calls it."""
    original = getattr(module, function)

    @functools.wraps(original)
    def wrapped(*args, **kwargs):
        return wrapper(original, *args, **kwargs)

    loaded = [vars(other) for name, other in sys.modules.items() if name.startswith("ministack.")]
    for table in [*loaded, iam._IAM_HANDLERS, *provisioners._RESOURCE_HANDLERS.values()]:
        for key in [key for key, value in table.items() if value is original]:
            table[key] = wrapped


def before_stack_writes(kind, check):
    """Has properties checked before a stack creates or updates a resource. A ValueError fails the resource."""

    def create(original, logical_id, props, *rest):
        check(props)
        return original(logical_id, props, *rest)

    def update(original, physical_id, old_props, new_props, *rest):
        check(new_props)
        return original(physical_id, old_props, new_props, *rest)

    around(provisioners, f"_iam_{kind}_create", create)
    around(provisioners, f"_iam_{kind}_update", update)


# --- Templates ---


@restores("a condition of a template compares what Fn::Join makes of its parameters")
def _():
    def joined(value, params):
        if isinstance(value, list):
            return [joined(item, params) for item in value]
        if not isinstance(value, dict):
            return value
        if "Fn::Join" in value:
            return engine._resolve_refs(value, {}, params, {}, {}, "", "")
        return {key: joined(item, params) for key, item in value.items()}

    def evaluate(original, template, params):
        return original({**template, "Conditions": joined(template.get("Conditions", {}), params)}, params)

    around(engine, "_evaluate_conditions", evaluate)


# --- A stack and what is there already ---


@restores("a stack does not take over a role or a managed policy that exists")
def _():
    def create_role(original, logical_id, props, *rest):
        if props.get("RoleName") in iam._roles:
            raise ValueError(f"Role with name {props['RoleName']} already exists.")
        return original(logical_id, props, *rest)

    def create_policy(original, logical_id, props, *rest):
        name = props.get("ManagedPolicyName")
        if name in [policy["PolicyName"] for policy in iam._policies.values()]:
            raise ValueError(f"A policy called {name} already exists. Duplicate names are not allowed.")
        return original(logical_id, props, *rest)

    around(provisioners, "_iam_role_create", create_role)
    around(provisioners, "_iam_managed_policy_create", create_policy)


@restores("a stack fails to delete a role or a managed policy that has attachments from elsewhere")
def _():
    def delete_role(original, name, props):
        role = iam._roles.get(name, {})
        if set(role.get("AttachedPolicies", [])) - set(props.get("ManagedPolicyArns", [])):
            raise ValueError("Cannot delete entity, must detach all policies first.")
        if set(role.get("InlinePolicies", {})) - {policy["PolicyName"] for policy in props.get("Policies", [])}:
            raise ValueError("Cannot delete entity, must delete policies first.")
        return original(name, props)

    def delete_policy(original, arn, props):
        for entities, own in [(iam._roles, "Roles"), (iam._users, "Users"), (iam._groups, "Groups")]:
            for name, entity in entities.items():
                if arn in entity.get("AttachedPolicies", []) and name not in (props.get(own) or []):
                    raise ValueError("Cannot delete a policy attached to entities.")
                if arn == entity.get("PermissionsBoundary"):
                    raise ValueError("Cannot delete a policy attached to entities.")
        return original(arn, props)

    around(provisioners, "_iam_role_delete", delete_role)
    around(provisioners, "_iam_managed_policy_delete", delete_policy)


@restores("a role that a stack makes was made at a whole second, as IAM tells time")
def _():
    def create(original, *args):
        created = original(*args)
        iam._roles[created[0]]["CreateDate"] = iam._now()
        return created

    around(provisioners, "_iam_role_create", create)


# --- Permissions boundaries ---


@restores("a stack sets, changes and removes a role's permissions boundary")
def _():
    def check(props):
        refused = "PermissionsBoundary" in props and iam._boundary_policy_error(props["PermissionsBoundary"])
        if refused:
            raise ValueError(refused[2].decode())

    def create(original, logical_id, props, *rest):
        created = original(logical_id, props, *rest)
        iam._roles[created[0]]["PermissionsBoundary"] = props.get("PermissionsBoundary")
        return created

    def update(original, physical_id, old_props, new_props, *rest):
        updated = original(physical_id, old_props, new_props, *rest)
        iam._roles[updated[0]]["PermissionsBoundary"] = new_props.get("PermissionsBoundary")
        return updated

    around(provisioners, "_iam_role_create", create)
    around(provisioners, "_iam_role_update", update)
    before_stack_writes("role", check)


@restores("the account's authorization details have the permissions boundaries of roles")
def _():
    def details(original, params):
        status, headers, body = original(params)
        for role in iam._roles.values():
            if role.get("PermissionsBoundary"):
                arn = f"<Arn>{role['Arn']}</Arn>"
                boundary = (
                    "<PermissionsBoundary>"
                    "<PermissionsBoundaryType>PermissionsBoundaryPolicy</PermissionsBoundaryType>"
                    f"<PermissionsBoundaryArn>{escape(role['PermissionsBoundary'])}</PermissionsBoundaryArn>"
                    "</PermissionsBoundary>"
                )
                body = body.replace(arn.encode(), (arn + boundary).encode())
        return status, headers, body

    around(iam, "_get_account_authorization_details", details)


# --- What policies refer to ---


@restores("only a managed policy that exists is attached to a role")
def _():
    def attach(original, params):
        arn = iam._p(params, "PolicyArn")
        if iam._p(params, "RoleName") in iam._roles and not iam._policy_exists(arn):
            return iam._error(404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
        return original(params)

    def check(props):
        for arn in props.get("ManagedPolicyArns", []):
            if not iam._policy_exists(arn):
                raise ValueError(f"Policy {arn} does not exist or is not attachable.")

    around(iam, "_attach_role_policy", attach)
    before_stack_writes("role", check)


@restores("a stack attaches a managed policy only to roles, users and groups that exist")
def _():
    before_stack_writes("managed_policy", provisioners._iam_policy_require_entities)


@restores("a trust policy is saved only if the roles and users that it names exist")
def _():
    def refusal(document):
        document = json.loads(document) if isinstance(document, str) else document
        for arn in [arn for principal in _principals(document) for arn in _listed(principal["AWS"])]:
            kind_and_name = re.fullmatch(r"arn:[\w-]+:iam::(\d+):(role|user)/(?:.*/)?([^/]+)", arn)
            if kind_and_name is None:
                continue
            account, kind, name = kind_and_name.groups()
            named = (iam._roles if kind == "role" else iam._users).get_scoped(account, None, name)
            if named is None or named["Arn"] != arn:
                return f'Invalid principal in policy: "AWS":"{arn}"'
        return None

    def save(parameter):
        def checked(original, params):
            message = refusal(iam._p(params, parameter))
            return iam._error(400, "MalformedPolicyDocument", escape(message)) if message else original(params)

        return checked

    def check(props):
        message = refusal(props.get("AssumeRolePolicyDocument"))
        if message:
            raise ValueError(message)

    around(iam, "_create_role", save("AssumeRolePolicyDocument"))
    around(iam, "_update_assume_role_policy", save("PolicyDocument"))
    before_stack_writes("role", check)


@restores("a trust policy shows the unique id of a role that has been deleted")
def _():
    def forget(role):
        for other in iam._roles.to_dict().values():
            document = json.loads(other["AssumeRolePolicyDocument"])
            for principal in _principals(document):
                named = _listed(principal["AWS"])
                shown = [role["RoleId"] if arn == role["Arn"] else arn for arn in named]
                if shown != named:
                    principal["AWS"] = shown if len(shown) > 1 else shown[0]
                    other["AssumeRolePolicyDocument"] = json.dumps(document)

    def delete(original, params):
        role = iam._roles.get(iam._p(params, "RoleName"))
        answer = original(params)
        if role and answer[0] == 200:
            forget(role)
        return answer

    def delete_from_stack(original, name, props):
        role = iam._roles.get(name)
        original(name, props)
        if role:
            forget(role)

    around(iam, "_delete_role", delete)
    around(provisioners, "_iam_role_delete", delete_from_stack)


def _principals(document):
    """The principals of a policy document that name roles, users or accounts."""
    principals = [statement.get("Principal") for statement in _listed(document["Statement"])]
    return [principal for principal in principals if isinstance(principal, dict) and "AWS" in principal]


def _listed(value):
    return value if isinstance(value, list) else [value]


# --- Access entries of EKS clusters ---


@restores("an access entry needs an authentication mode with API, and has a user name")
def _():
    def create(original, cluster_name, body):
        cluster = eks._clusters.get(cluster_name)
        # What EKS takes for a cluster that does not say.
        mode = (cluster or {}).get("accessConfig", {}).get("authenticationMode", "CONFIG_MAP")
        if cluster and mode == "CONFIG_MAP":
            return eks._error(
                400,
                "InvalidRequestException",
                "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.",
            )
        return original(cluster_name, {**body, "username": body.get("username") or _user_name(body["principalArn"])})

    def update(original, cluster_name, principal_arn, body):
        if "username" in body:
            body = {**body, "username": body["username"] or _user_name(principal_arn)}
        return original(cluster_name, principal_arn, body)

    around(eks, "_create_access_entry", create)
    around(eks, "_update_access_entry", update)


def _user_name(principal_arn):
    """The user name of an access entry that is given none: the role without its path, and the session's name."""
    name = principal_arn.rsplit("/", 1)[-1]
    return f"arn:aws:sts::{get_account_id()}:assumed-role/{name}/{{{{SessionName}}}}"


@restores("a stack creates, updates and deletes access entries of an EKS cluster")
def _():
    def answered(answer):
        if answer[0] >= 400:
            raise ValueError(json.loads(answer[2])["message"])
        return json.loads(answer[2])

    def body_of(props):
        if props.get("AccessPolicies"):
            raise ValueError("AccessPolicies of an access entry are not emulated.")
        return {
            "principalArn": props["PrincipalArn"],
            "type": props.get("Type", "STANDARD"),
            "kubernetesGroups": props.get("KubernetesGroups", []),
            "username": props.get("Username", ""),
            "tags": provisioners._tag_map(props.get("Tags")),
        }

    def result(entry):
        return f"{entry['principalArn']}|{entry['clusterName']}", {"AccessEntryArn": entry["accessEntryArn"]}

    def create(logical_id, props, stack_name):
        return result(answered(eks._create_access_entry(props["ClusterName"], body_of(props)))["accessEntry"])

    def update(physical_id, old_props, new_props, stack_name):
        cluster_name, principal_arn = new_props["ClusterName"], new_props["PrincipalArn"]
        answered(eks._update_access_entry(cluster_name, principal_arn, body_of(new_props)))
        entry = eks._access_entries[eks._ae_key(cluster_name, principal_arn)]
        provisioners._reconcile_tag_map(entry["tags"], old_props, new_props)
        eks._tags[entry["accessEntryArn"]] = dict(entry["tags"])
        return result(entry)

    def delete(physical_id, props):
        answered(eks._delete_access_entry(props["ClusterName"], props["PrincipalArn"]))

    provisioners._RESOURCE_HANDLERS["AWS::EKS::AccessEntry"] = {"create": create, "update": update, "delete": delete}
    provisioners._REPLACING_PROPERTIES["AWS::EKS::AccessEntry"] = ("ClusterName", "PrincipalArn", "Type")
    provisioners._STACK_TAG_PROPERTY["AWS::EKS::AccessEntry"] = ("Tags", "list")
