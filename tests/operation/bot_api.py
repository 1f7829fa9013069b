"""A Bot API server on the loopback: what python-telegram-bot asks of Telegram, and Telegram's own refusals."""

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

TOKEN = "123456:loopback-token-that-nobody-may-see"
CHAT = 4711
USER = {"id": 99, "is_bot": False, "first_name": "Owner"}
BOT = {
    "id": 123456,
    "is_bot": True,
    "first_name": "bot",
    "username": "loopback_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
}


class Text(HTMLParser):
    """What a phone shows of Telegram's HTML; other tags than <pre> are refused."""

    def __init__(self, source):
        super().__init__()
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        assert tag == "pre", tag

    def handle_data(self, data):
        self.text += data


def refusal(data: dict) -> str:
    """Why Telegram would refuse a message; empty where it takes it."""
    text, mode = data.get("text", ""), data.get("parse_mode")
    if mode == "Markdown":
        left = re.sub(r"```.*?```|`[^`]*`|\*[^*]*\*|_[^_]*_|\[[^\]]*\]\([^)]*\)", "", text, flags=re.S)
        if re.search(r"(?<!\\)[_*`]", left):
            return "Bad Request: can't parse entities: can't find end of the entity"
    if mode == "HTML" and re.search(r"&(?!(lt|gt|amp|quot);)|<(?!/?pre>)", text):
        return "Bad Request: can't parse entities: unsupported start tag"
    shown = Text(text).text if mode == "HTML" else text
    return "Bad Request: message is too long" if len(shown) > 4096 else ""


class BotApi:
    """The application, the updates that wait to be fetched, and what was sent."""

    def __init__(self) -> None:
        self.app, self.sent, self.refused, self.menu = FastAPI(), [], [], []
        self._waiting, self._number = [], 1
        self.app.api_route("/bot{token}/{method}", methods=["GET", "POST"])(self._call)

    def receive(self, text: str, chat: int = CHAT, user: dict | None = None, kind="message", **message):
        """Somebody writes something to the bot."""
        self._number += 1
        words = text.split()
        length = len(words[0].encode("utf-16-le")) // 2 if words else 0
        entities = [{"type": "bot_command", "offset": 0, "length": length}] if text.startswith("/") else []
        content = {
            "message_id": self._number,
            "date": 1700000000,
            "chat": {"id": chat, "type": "private"},
            "from": USER if user is None else user,
            "text": text,
            "entities": entities,
            **message,
        }
        self._waiting.append({"update_id": self._number, kind: content})

    def edit(self, text: str) -> None:
        """Somebody changes what they wrote."""
        self.receive(text, kind="edited_message", edit_date=1700000001)

    async def _call(self, token: str, method: str, request: Request):
        if token != TOKEN:
            return JSONResponse({"ok": False, "error_code": 401, "description": "Unauthorized"}, 401)
        data = dict(parse_qsl((await request.body()).decode()))
        if method == "getMe":
            return {"ok": True, "result": BOT}
        if method == "getUpdates":
            for _ in range(20):
                if self._waiting or not int(data.get("timeout", 0)):
                    break
                await asyncio.sleep(0.05)
            first = int(data.get("offset", 0))
            self._waiting = [update for update in self._waiting if update["update_id"] >= first]
            return {"ok": True, "result": list(self._waiting)}
        if method == "sendMessage":
            return self._send(data)
        if method == "setMyCommands":
            self.menu.append(data)
        return {"ok": True, "result": [] if method == "getMyCommands" else True}

    def _send(self, data: dict):
        reason = refusal(data)
        if reason:
            self.refused.append((reason, data))
            return JSONResponse({"ok": False, "error_code": 400, "description": reason}, 400)
        mode = data.get("parse_mode")
        self.sent.append(Text(data["text"]).text if mode == "HTML" else data["text"])
        chat = {"id": int(data["chat_id"]), "type": "private"}
        return {"ok": True, "result": {"message_id": 1, "date": 1700000000, "chat": chat, "text": "-"}}
