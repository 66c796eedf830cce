// Every request goes through here: a time limit, the token, and errors that say what to do.
import { askForToken, token } from "./token.js";

const usualTimeout = 20_000;

export class ApiError extends Error {
  constructor(message, code, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

// A Response whose status is fine. `timeout` is until its headers are there and, for json() and text() below, its body.
export async function request(path, { method = "GET", body, signal, timeout = usualTimeout } = {}) {
  for (;;) {
    const used = token();
    const response = await send(path, method, body, used, signal, timeout);
    if (response.ok) return response;
    const error = await errorOf(response);
    if (response.status !== 401 && response.status !== 403) throw error;
    if (token() !== used) continue; // somebody has given one meanwhile
    if (!(await askForToken(error.message))) throw error;
  }
}

async function send(path, method, body, used, signal, timeout) {
  const headers = {};
  if (used) headers.Authorization = `Bearer ${used}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const late = timeout ? [AbortSignal.timeout(timeout)] : [];
  const either = AbortSignal.any([...(signal ? [signal] : []), ...late]);
  try {
    return await fetch(path, { method, headers, signal: either, credentials: "omit",
                               body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    throw explained(error, path, signal, timeout);
  }
}

function explained(error, path, signal, timeout) {
  if (signal?.aborted) return error;
  const place = path.split("?")[0];
  if (error.name === "TimeoutError")
    return new ApiError(`No answer to ${place} within ${timeout / 1000} s. The server may be busy: try again.`, "TIMEOUT");
  return new ApiError(`The server does not answer. Is \`lockstep serve\` still running?`, "UNREACHABLE");
}

async function errorOf(response) {
  let said = {};
  try {
    said = await response.json();
  } catch {
    // not the API's: a proxy's page, say; its status must do
  }
  return new ApiError(said.message || `The server answered ${response.status}.`, said.error_code, response.status);
}

async function json(path, options = {}) {
  const response = await request(path, options);
  try {
    return await response.json();
  } catch (error) {
    throw explained(error, path, options.signal, options.timeout ?? usualTimeout);
  }
}

// Lists become repeated keys; what is undefined, null or "" is left out.
export function query(values) {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(values))
    for (const each of [value].flat())
      if (each !== undefined && each !== null && each !== "") parts.append(key, each);
  const text = parts.toString();
  return text ? `?${text}` : "";
}

export const path = (...parts) => parts.map(encodeURIComponent).join("/");
// of a path with slashes: each part is encoded, the slashes stay
export const deepPath = (text) => text.split("/").map(encodeURIComponent).join("/");

export const mlflow = {
  get: (place, values = {}, signal) => json(`/ajax-api/2.0/mlflow/${place}${query(values)}`, { signal }),
  post: (place, body, signal) => json(`/ajax-api/2.0/mlflow/${place}`, { method: "POST", body, signal }),
  delete: (place, body, signal) => json(`/ajax-api/2.0/mlflow/${place}`, { method: "DELETE", body, signal }),
  patch: (place, body, signal) => json(`/ajax-api/2.0/mlflow/${place}`, { method: "PATCH", body, signal }),
};

export const lockstep = {
  get: (place, values = {}, signal) => json(`/api/v1/${place}${query(values)}`, { signal }),
  post: (place, body, signal) => json(`/api/v1/${place}`, { method: "POST", body, signal }),
  text: async (place, signal) => (await request(`/api/v1/${place}`, { signal })).text(),
};

export const job = (name) => `jobs/${encodeURIComponent(name)}`;
