"""A command that the warm Python starts is a process like any other."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts as everywhere else")
WARM = "from multiprocessing.spawn import spawn_main\n"  # what a worker begins with: the server runs it


def start(warm_python, code, **options):
    return subprocess.Popen(
        [warm_python, "-c", WARM + code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, **options,
    )  # fmt: skip


def test_it_has_its_own_directory_environment_files_and_exit_code(warm_python, tmp_path):
    code = (
        "import os, sys\n"
        "print(os.getcwd(), os.environ['WORD'], 'HOME' in os.environ, sys.stdin.read(), 'torch' in sys.modules)\n"
        "sys.exit('to stderr')"
    )
    child = start(warm_python, code, cwd=tmp_path, env={"WORD": "own"})
    out, err = child.communicate("typed", timeout=100)
    assert out.split() == [str(tmp_path), "own", "False", "typed", "True"]
    assert (err, child.returncode) == ("to stderr\n", 1)


def test_files_that_are_passed_on_keep_their_numbers(warm_python):
    reader, writer = os.pipe()
    with start(warm_python, f"import os\nos.write({writer}, b'through')", pass_fds=[writer]) as child:
        os.close(writer)
        assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert child.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it(warm_python, number):
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "print(os.getpid(), flush=True)\n"
        "time.sleep(100)"
    )
    child = start(warm_python, code)
    process = Path("/proc", child.stdout.readline().strip())
    child.send_signal(number)
    assert child.wait(timeout=20) == -number
    deadline = time.monotonic() + 20
    while process.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not process.exists()


def test_an_error_is_printed_and_ends_with_1(warm_python):
    child = start(warm_python, "1 / 0")
    _, err = child.communicate(timeout=100)
    assert child.returncode == 1
    assert err.rstrip().endswith("ZeroDivisionError: division by zero")


def test_anything_else_is_a_fresh_python(warm_python):
    code = "import sys; print('torch' in sys.modules, sys.executable)"
    done = subprocess.run([warm_python, "-c", code], capture_output=True, text=True, timeout=100)
    assert done.stdout.split() == ["False", sys.executable]
