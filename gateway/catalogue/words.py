"""The closed vocabulary of connector files: which keys each table knows, and which words stand in them."""

from collections.abc import Mapping

_CHANGE = (
    "type action action_split actions object_id object_type object_type_split date date_format date_timezone "
    "dedupe payload version"
)
_LIMITS = "requests per burst concurrency scope status retry_after reset_at reset_unit remaining used"
_RESPOND = "status content_type body json headers"

_TABLES = {
    "file": "format key name version description docs tags id hub categories api_version max_body ack_deadline "
    "redelivers config defaults auth http pagination methods resources webhook poll",
    "config": "key name description type required required_for secret sealed default choices pattern multiple "
    "generate filled_by auth hidden internal",
    "auth.none": "type",
    "auth.api_key": "type in name value",
    "auth.basic": "type username password",
    "auth.bearer": "type token",
    "auth.oauth2": "type grant authorize_url token_url revoke_url scopes scope_separator pkce client_auth body_format "
    "authorize_params token_params token_headers token refresh expires_in expires inject save after",
    "auth.session": "type request body token expires inject",
    "auth.jwt": "type alg key claims",
    "inject": "header query value",
    "after": "request save",
    "http": "base_url headers timeout idempotency_header hosts check limits error",
    "http.check": "request",
    "limits": _LIMITS,
    "http.error": "status header body body_contains action message",
    "pagination": "type param where next rel more size_param size offset_param first max_pages max_records omit "
    "drop_params",
    "methods": "request name category description params query body fields records paginate headers",
    "field": "type required default choices description at",
    "resources": "list get create update delete where objects order_by fields",
    "where": "param join = != < <= > >= LIKE IN",
    "webhook": f"{_CHANGE} docs notes scope account account_config account_equals items form_field ack ordered methods "
    "verify handshake subscribe",
    "split": "sep take",
    "respond": _RESPOND,
    "webhook.verify": "if scheme networks hash secret secret_prefix secret_encoding signature split prefix "
    "prefix_optional encoding signed timestamp timestamp_unit tolerance per_item body_digest replay key key_format "
    "key_api key_id key_field algorithm cert_url cert_hosts cert_names cert_chain envelope username password token "
    "algorithms jwks_url issuer audience claims max_age method",
    "body_digest": "hash encoding value claim",
    "webhook.handshake": "when check verify compute save_once confirm_url confirm_hosts respond",
    "when": "method header query body",
    "compute": "hash hmac secret input encoding",
    "webhook.subscribe": "request body body_type save after lifetime expires expires_format renew renew_body "
    "renew_before check check_url list list_items list_id list_url delete delete_body",
    "poll": f"{_CHANGE} name description request query body paginate records order id updated updated_format "
    "updated_timezone created created_format created_timezone created_tolerance deleted_when skip_if mode from_format "
    "overlap settle start retention interval min_interval_from etag limits token first_token first_token_body "
    "token_expired",
    "token_expired": "status body_contains",
    "interval": "default min max",
}
TABLES: Mapping[str, frozenset[str]] = {table: frozenset(keys.split()) for table, keys in _TABLES.items()}

ENTRY_TYPES = ("string", "boolean", "integer", "number", "url", "json", "duration")
FIELD_TYPES = ("string", "boolean", "integer", "number", "datetime", "date", "url", "object", "array", "json", "file")
AUTH_TYPES = ("none", "api_key", "basic", "bearer", "oauth2", "session", "jwt")
GRANTS = ("authorization_code", "client_credentials", "refresh_token")
PAGE_TYPES = ("cursor", "offset", "page", "keyset", "link", "none")
SCHEMES = ("hmac", "digest", "public_key", "jwt", "token", "basic", "api_confirm", "none")
HASHES = ("sha1", "sha256", "sha384", "sha512")
DIGESTS = ("md5", *HASHES)
EXPIRY_FORMATS = ("iso8601", "epoch_s", "epoch_ms")
ENCODINGS = ("hex", "base64")
KEY_ENCODINGS = ("text", "hex", "base64")
ACTIONS = ("CREATED", "UPDATED", "DELETED")
ERROR_ACTIONS = ("retry", "rate_limited", "reauth", "fail", "ignore")
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=", "LIKE", "IN")
