"""What another process files in the inbox is told to every open page."""

import threading

from newsroom import entry, file_entries
from serving import Serving

from kuaibao.bulletin.desk import Desk


def _listen(server, heard, is_ready):
    with server.browser("editor") as client, client.stream("GET", "/live") as stream:
        for line in stream.iter_lines():
            if line == "event: ready":
                is_ready.set()
            if line.startswith("data: {"):
                heard.append(line)
                return


def test_what_a_watcher_files_is_told_to_open_pages(tmp_path):
    with Serving(tmp_path, 0) as server:
        heard, is_ready = [], threading.Event()
        listener = threading.Thread(target=_listen, args=(server, heard, is_ready), daemon=True)
        listener.start()
        assert is_ready.wait(30)
        # A desk of its own, which tells nobody: as the watcher's in another process.
        watcher = Desk.open(tmp_path / "desk.db", tmp_path)
        file_entries(watcher, (entry(1, title="A story that has just come in"),))
        watcher.close()
        listener.join(60)
        assert heard, "nobody was told"
        assert '"action": "collect"' in heard[0]
        with server.browser("editor") as client:
            assert "A story that has just come in" in client.get("/inbox").text
