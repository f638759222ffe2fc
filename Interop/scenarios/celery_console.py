"""Celery's own command line in a process that stays: `celery` takes seconds to import, and the scenarios call it often.

Reads lists of arguments as JSON, one a line, and answers {"code": …, "out": …, "error": …} likewise.
"""
import json
import sys
import warnings

from celery.bin.celery import celery
from click.testing import CliRunner

warnings.simplefilter("ignore")
for line in sys.stdin:
    result = CliRunner().invoke(celery, json.loads(line), prog_name="celery")
    print(json.dumps({"code": result.exit_code, "out": result.stdout, "error": result.stderr}), flush=True)
