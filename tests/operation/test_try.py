import time, pytest, httpx
from tests.operation.conftest import *
def test_x(bot, capsys):
    with capsys.disabled():
        auth=(USER,PASSWORD)
        for v in ("","/phase","/ml_stats","/rr_stats","/correlation","/thresholds","/vol_sizing","/models","/drift","/alerts","/summary","/why?pair=BTC/USDT"):
            r=httpx.get(bot.url+v,auth=auth); print(v, r.status_code, len(r.content), r.text[:300] if r.status_code!=200 else "")
        print(httpx.get(bot.url).status_code)
        for c in ("/coordinator","/phase","/ml_stats","/rr_stats","/correlation","/thresholds","/vol_sizing","/models","/drift","/alerts","/summary","/why BTC", "/help"):
            t0=time.monotonic(); print("=====",c); print(bot.ask(c)); print(f"{time.monotonic()-t0:.2f} s")
        print(bot.api.refused, bot.api.menu)
        print(bot.api.sent[:6])
