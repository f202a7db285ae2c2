// The service's API with the key of this browser session.

const KEY = "kuaibao.key";

export const key = {
  get: () => sessionStorage.getItem(KEY) || "",
  set: (value) => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
};

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function call(method, path, body, signal) {
  const headers = { Accept: "application/json" };
  if (key.get()) headers.Authorization = `Bearer ${key.get()}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  if (!answer.ok) throw await problem(answer);
  return answer;
}

export const get = async (path) => (await call("GET", path)).json();
export const post = async (path, body = {}) => (await call("POST", path, body)).json();
export const remove = async (path) => (await call("DELETE", path)).json();

async function problem(answer) {
  let message = answer.statusText;
  try {
    message = (await answer.json()).error.message;
  } catch {}
  return new ApiError(answer.status, message);
}

/** Server-sent events of a streamed completion, one parsed chunk at a time. */
export async function* stream(path, body, signal) {
  const answer = await call("POST", path, { ...body, stream: true }, signal);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const data = part.startsWith("data: ") ? part.slice(6) : "";
      if (!data || data === "[DONE]") continue;
      const chunk = JSON.parse(data);
      if (chunk.error) throw new ApiError(200, chunk.error.message);
      yield chunk;
    }
  }
}
