"""People, roles, sessions, API keys, permissions and a hash-chained audit log.

The doors above (`service`, `web`) share these; nothing here knows HTTP.
"""

from kuaibao.accounts.audit import (
    AuditEntry,
    append_audit,
    latest_audit,
    list_audit,
    verify_audit,
)
from kuaibao.accounts.errors import (
    AccountsError,
    BrokenAuditError,
    InvalidKeyError,
    PermissionDeniedError,
    SignInError,
    TooManyAttemptsError,
)
from kuaibao.accounts.keys import (
    ApiKey,
    check_key,
    create_key,
    list_keys,
    revoke_key,
    rotate_key,
)
from kuaibao.accounts.people import (
    Person,
    create_person,
    find_person,
    get_person,
    list_people,
    set_active,
    set_password,
    set_roles,
    sign_in,
)
from kuaibao.accounts.permissions import PermissionTable
from kuaibao.accounts.schema import create_tables
from kuaibao.accounts.sessions import Session, end_session, find_session, start_session

__all__ = [
    "AccountsError",
    "ApiKey",
    "AuditEntry",
    "BrokenAuditError",
    "InvalidKeyError",
    "PermissionDeniedError",
    "PermissionTable",
    "Person",
    "Session",
    "SignInError",
    "TooManyAttemptsError",
    "append_audit",
    "check_key",
    "create_key",
    "create_person",
    "create_tables",
    "end_session",
    "find_person",
    "find_session",
    "get_person",
    "latest_audit",
    "list_audit",
    "list_keys",
    "list_people",
    "revoke_key",
    "rotate_key",
    "set_active",
    "set_password",
    "set_roles",
    "sign_in",
    "start_session",
    "verify_audit",
]
