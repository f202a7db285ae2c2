"""Clients that we didn't write, of 2020, 2022 and today, in Python and Node, against the real server.

They are fetched by pip and npm into a folder of the test run; where that cannot be done, the tests
are skipped and say so.
"""

import json
import shutil
import subprocess
import sys

import pytest

OLD_CLIENT = """
import json, sys
import openai
openai.api_key, openai.api_base = sys.argv[1:3]
one = dict(engine="fake", prompt="Once upon", max_tokens=5, temperature=0)
streamed = openai.Completion.create(**one, stream=True)
found = {
    "file": openai.__file__,
    "engines": [engine["id"] for engine in openai.Engine.list()["data"]],
    "text": openai.Completion.create(**one)["choices"][0]["text"],
    "streamed": "".join(part["choices"][0]["text"] for part in streamed),
    "n": len(openai.Completion.create(engine="fake", prompt=["a", "b"], max_tokens=2, n=2)["choices"]),
    "search": len(openai.Engine("fake").search(documents=["light", "desk"], query="lamp")["data"]),
}
try:
    openai.Completion.create(engine="nope", prompt="x")
except openai.error.InvalidRequestError as error:
    found["error"] = str(error)
print(json.dumps(found))
"""
NODE_CLIENT = """
import OpenAI from "openai";
const [key, url] = process.argv.slice(2);
const client = new OpenAI({ apiKey: key, baseURL: url, maxRetries: 0 });
const one = { model: "fake", prompt: "Once upon", max_tokens: 5, temperature: 0 };
const whole = await client.completions.create(one);
let streamed = "";
for await (const part of await client.completions.create({ ...one, stream: true })) streamed += part.choices[0]?.text ?? "";
const chat = await client.chat.completions.create({ model: "fake", max_tokens: 4, messages: [{ role: "user", content: "Hi" }] });
let error = "";
try { await client.models.retrieve("nope"); } catch (e) { error = `${e.status} ${e.message}`; }
const models = [];
for await (const model of client.models.list()) models.push(model.id);
console.log(JSON.stringify({ text: whole.choices[0].text, streamed, role: chat.choices[0].message.role, error, models }));
"""


@pytest.fixture(scope="module", params=["0.2.4", "0.11.6"])
def old_openai(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("openai")
    run = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder),
         f"openai=={request.param}"],
        capture_output=True, text=True,
    )  # fmt: skip
    if run.returncode:
        pytest.skip(f"openai {request.param} cannot be installed: {run.stderr[-200:]}")
    return request.param, folder


def test_the_python_clients_of_2020_and_2022_are_answered(server, old_openai):
    version, folder = old_openai
    base = server.url if version == "0.2.4" else server.url + "/v1"
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n{OLD_CLIENT}"
    run = subprocess.run(
        [sys.executable, "-c", code, server.key, base], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["file"].startswith(str(folder))
    assert "fake" in found["engines"]
    assert found["text"] == found["streamed"] != ""
    assert (found["n"], found["search"]) == (4, 2)
    assert "does not exist" in found["error"]


def test_the_node_client_is_answered(server, tmp_path):
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no Node on this machine")
    (tmp_path / "package.json").write_text('{"type": "module", "private": true}')
    (tmp_path / "client.js").write_text(NODE_CLIENT)
    install = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "openai"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    if install.returncode:
        pytest.skip(f"npm cannot install openai: {install.stderr[-200:]}")
    run = subprocess.run(
        ["node", "client.js", server.key, server.url + "/v1"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["text"] == found["streamed"] != ""
    assert found["role"] == "assistant"
    assert found["models"] == ["fake"]
    assert found["error"].startswith("404")
