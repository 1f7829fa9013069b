"""Adds our commands to the Telegram application that Freqtrade builds and runs in a thread of its own.

Freqtrade has no supported way to add commands. What is used of its inside: ``_app`` and ``_loop`` of its Telegram
class, ``_send_msg``, and ``authorized_only``, by which its own commands are guarded. Where one of them is not there,
our commands are not there either, and one line in the log says so.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from html import escape
from typing import Any

from coordinator.adapters.telegram.commands import ANSWERS, answer
from coordinator.status.overview import COMMANDS, overview_text
from coordinator.status.phone import split_message
from coordinator.status.source import Source

__all__ = ["attach_telegram"]

logger = logging.getLogger(__name__)

SOURCE = "coordinator source"
"""Key of the application's ``bot_data``."""
LIMIT = 4096 - len("<pre></pre>")
HELP_GROUP = 7  # beside Freqtrade's own /help, which is in group 0
FAILED = "The answer failed; the bot's log says why."


def attach_telegram(telegram: Any, source: Source) -> bool:
    """Add the commands, once an application; whether that is done.

    Parameters
    ----------
    telegram : Freqtrade's Telegram module, whose thread may not have built its application yet: then try again later

    Raises
    ------
    AttributeError, ImportError
        Where Freqtrade or python-telegram-bot have changed what is used of them.
    """
    app, loop = getattr(telegram, "_app", None), getattr(telegram, "_loop", None)
    if app is None or loop is None:
        if not telegram._thread.is_alive():
            raise AttributeError("its thread has ended")
        return False
    handlers = _handlers(telegram)

    def add() -> None:
        """In the application's own thread, where nothing else changes its handlers."""
        first = SOURCE not in app.bot_data
        app.bot_data[SOURCE] = source
        if first:
            for group, handler in handlers:
                app.add_handler(handler, group)
            task = loop.create_task(_fill_menu(telegram, app))
            app.bot_data[f"{SOURCE} menu"] = task  # a task that nobody holds may be collected
            logger.info("Telegram answers /coordinator and %d further commands", len(COMMANDS))

    loop.call_soon_threadsafe(add)
    return True


def _handlers(telegram: Any) -> list[tuple[int, Any]]:
    from freqtrade.rpc.telegram import authorized_only
    from telegram.ext import CommandHandler, filters

    telegram._send_msg  # noqa: B018  asked for now, so that its absence is seen now

    @authorized_only  # type: ignore[untyped-decorator]
    async def reply(module: Any, update: Any, context: Any, command: str) -> None:
        source = context.application.bot_data[SOURCE]
        try:
            # The views read the database: not in the thread in which Telegram's updates wait.
            text = await asyncio.to_thread(answer, command, source, context.args or ())
        except Exception:
            logger.exception("/%s failed", command)
            text = FAILED
        await _send(module, text)

    @authorized_only  # type: ignore[untyped-decorator]
    async def further_help(module: Any, update: Any, context: Any) -> None:
        await _send(module, overview_text())

    new = filters.UpdateType.MESSAGE  # an edited message has no text where Freqtrade looks for it
    own = [(0, CommandHandler(name, partial(_named, reply, telegram, name), filters=new)) for name in ANSWERS]
    return [*own, (HELP_GROUP, CommandHandler("help", partial(further_help, telegram), filters=new))]


async def _named(reply: Any, telegram: Any, command: str, update: Any, context: Any) -> None:
    await reply(telegram, update, context, command=command)


async def _send(telegram: Any, text: str) -> None:
    for part in split_message(escape(text, quote=False), LIMIT):
        await telegram._send_msg(f"<pre>{part}</pre>", parse_mode="HTML")


async def _fill_menu(telegram: Any, app: Any) -> None:
    """Our commands in the chat's menu, behind those that are in it; a menu that cannot be changed stays as it is."""
    from telegram import BotCommand, BotCommandScopeChat

    try:
        while not app.running:
            await asyncio.sleep(0.2)
        scope = BotCommandScopeChat(int(telegram._config["telegram"]["chat_id"]))
        present = list(await app.bot.get_my_commands(scope)) or list(await app.bot.get_my_commands())
        texts = {"coordinator": "what can be asked of the coordinator", **COMMANDS}
        ours = [BotCommand(name, text) for name, text in texts.items()]
        kept = [command for command in present if command.command not in texts]
        await app.bot.set_my_commands([*kept, *ours][:100], scope=scope)
    except Exception as error:
        logger.info("Telegram's command menu stays as it is: %s", type(error).__name__)
