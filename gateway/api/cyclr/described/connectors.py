"""`/v1.0`: connectors and their methods, account connectors, and calls through them."""

from gateway.api.cyclr.described.words import ACCOUNT_MEANT, FLAG, GUID, REFUSALS, SECURITY, WHOLE, array_of, paging
from gateway.api.cyclr.installing import LONGEST_AUTH_VALUE, LONGEST_DESCRIPTION
from gateway.api.openapi.model import Answer, Chapter, Json
from gateway.api.openapi.schemas import header, length, maybe, op, query, record, wish
from gateway.provisioning.draft import LONGEST_NAME

_VALUE: Json = {"type": ["string", "boolean", "number", "null"]}
_PROPERTY = wish("Name:text?", closed=False, Id=maybe(WHOLE), Value=_VALUE)
_FIELDS: dict[str, Json] = {
    "Name": maybe(length(1, LONGEST_NAME)),
    "Description": maybe(length(0, LONGEST_DESCRIPTION)),
    "AuthValue": maybe(length(0, LONGEST_AUTH_VALUE)),
    "AuthenticationId": maybe(GUID),
    "Properties": {"type": ["array", "null"], "items": _PROPERTY, "maxItems": 200},
    "IsPartnerIntegrationConnector": maybe(FLAG),
}
_WISHES = wish("", closed=False, **_FIELDS)
_EXAMPLE = {
    "Name": "Acme's",
    "AuthValue": "a key",
    "Properties": [{"Name": "base.url", "Value": "https://api.example"}],
}
_VALUES: Json = {"type": ["object", "null"], "propertyNames": {"pattern": "^[0-9]{1,15}$"}, "maxProperties": 1_000}
_CALL = wish("", closed=False, Parameters=_VALUES, Fields=_VALUES)
_DESCRIBED = (
    "Id:integer Name Description:text? IsOptional:boolean DataType Default:text? TriggerName:text? Values:texts"
)
SCHEMAS: dict[str, Json] = {
    "Connector": record(
        "Id:integer Name Description Status Version:text? Icon:text? AuthDescription:text? AuthType OAuth2Type "
        "AuthScheme:text? Categories:texts IsSystemConnector:boolean Parameters:ConnectorProperty[] Triggers:texts "
        "Authentication:Authentication[]"
    ),
    "ConnectorProperty": record(
        "Id:integer Name TargetName TargetType Description:text? IsOptional:boolean IsSensitive:boolean "
        "IsAccountConnectorProperty:boolean DataType TriggerName:text? Values:texts"
    ),
    "Authentication": record(
        "AuthName AuthDescription:text? AuthType OAuth2Type AuthScheme:text? IsDefault:boolean", Id=GUID
    ),
    "Method": record(
        "Id:integer Name Description:text? EndPoint Category:text? MethodType HttpMethod DataType "
        "Parameters:MethodParameter[] RequestFormat:RequestFormat",
        MethodUniqueIdentifier=GUID,
    ),
    "MethodParameter": record(_DESCRIBED + " Triggers:texts TargetName TargetType IsSensitive:boolean"),
    "MethodField": record(_DESCRIBED + " Triggers:texts ConnectorField SystemField"),
    "RequestFormat": record("Fields:MethodField[]"),
    "AccountConnector": record(
        "Id:integer Name Description:text? AuthValue:text? Authenticated:boolean Connector:Connector "
        "IsPartnerIntegrationConnector:boolean Properties:Property[] CustomFields:texts"
    ),
    "Property": record("Id:integer Name Value:text? AccountConnectorId:integer"),
}
_BY = (query("query", length(0, 200)), query("category", length(0, 200)))
_BROUGHT = query("includeCustomConnectors", {"type": "boolean", "default": True})
_FOR = header("X-Cyclr-Account", "text", "One of the token's accounts.")
_ONE, _MINE = "/v1.0/connectors/{name}", "/v1.0/account/connectors/{id:id}"
_PROPERTIES = _MINE + "/properties"
_RAW = Answer("The vendor's answer as it is, with the vendor's status, bytes and headers.", {}, "*/*")
_DONE = Answer("Done; there is no body.")
_HOW = (
    "Values stand under the numeric ids of the method's parameters and fields; `methodId` is its Id or its "
    "MethodUniqueIdentifier. Unless the account connector is a partner integration, the caller's address must be on "
    "the partner's list `calls`."
)
_VENDOR = (400, 403, 429, 502, 504)
_IF_TEST = " Where the vendor does not answer 2xx, a test is answered 400."

CHAPTER = Chapter(
    name="Cyclr: connectors",
    text="What there is to install, what an account has installed, and calls through it.",
    schemas=SCHEMAS,
    refusals=REFUSALS,
    security=SECURITY,
    operations=[
        op("cyclrListConnectors", "GET /v1.0/connectors", "The connectors", *_BY, _BROUGHT, *paging(("Name", "Id"),
           usual="Name"),
           _FOR, answer=array_of("Connector")),
        op("cyclrGetConnector", f"GET {_ONE}", "A connector by its number (an object), or by its name (an array)", _FOR,
           answer={"anyOf": [{"$ref": "#/components/schemas/Connector"},
                             {"type": "array", "items": {"$ref": "#/components/schemas/Connector"}}]}, refusals=(400,)),
        op("cyclrGetConnectorVersion", f"GET {_ONE}/{{version}}", "Those of a name and a version", _FOR,
           answer="Connector[]", refusals=(400,)),
        op("cyclrListMethods", f"GET {_ONE}/methods", "A connector's methods", *_BY,
           *paging(("Id", "Name", "Category")), _FOR, answer=array_of("Method")),
        op("cyclrListVersionMethods", f"GET {_ONE}/{{version}}/methods", "The same by name and version", *_BY,
           *paging(("Id", "Name", "Category")), _FOR, answer=array_of("Method")),
        op("cyclrGetMethod", "GET /v1.0/methods/{id:id}", "A method", _FOR, answer="Method"),
        op("cyclrInstall", f"POST {_ONE}/install", "Install a connector", ACCOUNT_MEANT, body=_WISHES, example=_EXAMPLE,
           optional=True, answer="AccountConnector", refusals=(409, 502)),
        op("cyclrInstallVersion", f"POST {_ONE}/{{version}}/install", "Install a connector of this version",
           ACCOUNT_MEANT, body=_WISHES, example=_EXAMPLE, optional=True, answer="AccountConnector", refusals=(409,
           502)),
        op("cyclrListAccountConnectors", "GET /v1.0/account/connectors", "What the account has installed",
           query("query", length(0, 200)), *paging(("Id", "Name", "CreatedDate")), ACCOUNT_MEANT,
           answer=array_of("AccountConnector")),
        op("cyclrGetAccountConnector", f"GET {_MINE}", "An account connector", ACCOUNT_MEANT,
           answer="AccountConnector"),
        op("cyclrChangeAccountConnector", f"PUT {_MINE}", "Change it; what is absent stays", ACCOUNT_MEANT,
           body=_WISHES,
           example=_EXAMPLE, answer="AccountConnector", refusals=(409, 502)),
        op("cyclrRemoveAccountConnector", f"DELETE {_MINE}", "Remove it", ACCOUNT_MEANT, answer=_DONE),
        op("cyclrDeauthenticate", f"PUT {_MINE}/deauthenticate", "Take its credentials away", ACCOUNT_MEANT,
           body=wish("", closed=False), optional=True, answer=record("Message"), refusals=(409,)),
        op("cyclrListProperties", f"GET {_PROPERTIES}", "The properties that are set", *paging(("Id", "Name")),
           ACCOUNT_MEANT, answer=array_of("Property")),
        op("cyclrAddProperty", f"POST {_PROPERTIES}", "Set a property", ACCOUNT_MEANT,
           body=wish("", closed=False, Name=length(1, 255), Value=_VALUE) | {"required": ["Name"]},
           example={"Name": "base.url", "Value": "https://api.example"}, answer="Property", refusals=(409, 502)),
        op("cyclrGetProperty", f"GET {_PROPERTIES}/{{pid:id}}", "A property", ACCOUNT_MEANT, answer="Property"),
        op("cyclrChangeProperty", f"PUT {_PROPERTIES}/{{pid:id}}", "Another value", ACCOUNT_MEANT,
           body=wish("Name:text?", closed=False, Value=_VALUE), example={"Value": "https://api.example"},
           answer="Property", refusals=(409, 502)),
        op("cyclrRemoveProperty", f"DELETE {_PROPERTIES}/{{pid:id}}", "It is not set any more", ACCOUNT_MEANT,
           answer=_DONE, refusals=(400, 409, 502)),
        op("cyclrCall", f"POST {_MINE}/methods/{{methodId}}", "Call a method", ACCOUNT_MEANT, text=_HOW, body=_CALL,
           example={"Parameters": {"12": "lead_1"}, "Fields": {}}, optional=True, answer=_RAW, refusals=_VENDOR),
        op("cyclrCallPlain", f"GET {_MINE}/methods/{{methodId}}", "Call a method without values", ACCOUNT_MEANT,
           text=_HOW, answer=_RAW, refusals=_VENDOR),
        op("cyclrTest", f"POST {_MINE}/test/{{methodId}}", "Call it as a test", ACCOUNT_MEANT, text=_HOW + _IF_TEST,
           body=_CALL, example={"Parameters": {"12": "lead_1"}, "Fields": {}}, optional=True, answer=_RAW,
           refusals=_VENDOR),
        op("cyclrTestPlain", f"GET {_MINE}/test/{{methodId}}", "The same without values", ACCOUNT_MEANT,
           text=_HOW + _IF_TEST, answer=_RAW, refusals=_VENDOR),
    ],
)  # fmt: skip
