// A receiver of events that verifies both signatures; Node 18 or newer, nothing to install.
//
// SIGNING_SECRETS  the instance's signingSecret; during a rotation the new and the old one, with a space between
// ELEMENTS_KEY     the instance's event.notification.signature.key; empty where it has none
// PORT             where to listen on loopback, 9000 unless told otherwise
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const TOLERANCE_S = 300;
const MOST_BYTES = 40 << 20;
const KEYS = (process.env.SIGNING_SECRETS ?? "").split(/\s+/).map(keyOf).filter((key) => key.length > 0);
const ELEMENTS_KEY = process.env.ELEMENTS_KEY ?? "";

/** Whether the gateway sent these bytes, and lately; whatever is missing or unreadable is a no. */
function isGenuine(headers, body, keys, elementsKey) {
  const id = headers["webhook-id"] ?? "";
  const stamp = headers["webhook-timestamp"] ?? "";
  if (id === "" || !/^[0-9]{1,15}$/.test(stamp)) return false;
  if (Math.abs(Date.now() / 1000 - Number(stamp)) > TOLERANCE_S) return false;
  const content = Buffer.concat([Buffer.from(`${id}.${stamp}.`), body]);
  const wanted = keys.map((key) => "v1," + digest(key, content));
  const given = (headers["webhook-signature"] ?? "").split(" ");
  // Every pair is compared, and each in constant time; entries of other versions match nothing.
  const standard = wanted.flatMap((one) => given.map((other) => equal(one, other)));
  const elements = "sha256=" + digest(elementsKey, body);
  return standard.includes(true) && (!elementsKey || equal(elements, headers["elements-webhook-signature"] ?? ""));
}

/** The key inside `whsec_…`; empty where there is none. */
function keyOf(secret) {
  const text = secret.replace(/^whsec_/, "");
  const key = Buffer.from(text, "base64");
  return key.toString("base64") === text ? key : Buffer.alloc(0);
}

function digest(key, content) {
  return createHmac("sha256", key).update(content).digest("base64");
}

function equal(one, other) {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}

// The same event may come more than once, always under the same webhook-id. In a real application this is a table
// with a unique column, written in the same transaction as what the event does; keep the ids for some days.
const seen = new Set();

async function receive(request) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size > MOST_BYTES) return 400;
    pieces.push(piece);
  }
  const body = Buffer.concat(pieces);
  if (!isGenuine(request.headers, body, KEYS, ELEMENTS_KEY)) return 401;
  let message;
  try {
    message = JSON.parse(body.toString()).message;
  } catch {
    return 400;
  }
  if (message === undefined) return 400;
  const id = request.headers["webhook-id"];
  if (!seen.has(id)) {
    handle(message);
    // Only now: had the work failed, there would be no 2xx, and the event would come again.
    seen.add(id);
  }
  return 204;
}

/** Here the work begins; what takes longer than a few seconds belongs into a queue. */
function handle(message) {
  console.log("verified:", JSON.stringify(message));
}

if (KEYS.length === 0) {
  console.error("SIGNING_SECRETS must hold the instance's signingSecret, whsec_…");
  process.exit(1);
}
const server = createServer(async (request, response) => {
  try {
    response.writeHead(request.method === "POST" ? await receive(request) : 405);
  } catch (problem) {
    console.error(problem);
    response.writeHead(500);
  }
  response.end();
});
server.listen(Number(process.env.PORT ?? 9000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
