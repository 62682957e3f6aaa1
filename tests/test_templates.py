"""Every page template compiles, speaks today's htmx, and keeps to the strict content security policy."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "store_app" / "templates"
CHECKER = ROOT / ".tools" / "node_modules" / "htmx.org" / "dist" / "scripts" / "upgrade-check.py"
TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())
PAGES = [name for name in TEMPLATES if name.endswith(".html")]
# Jinja's own marks, so that what is left is what the browser may see
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


def read(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def refuse(name: str, pattern: str, sentence: str) -> None:
    text = JINJA.sub(lambda mark: "\n" * mark.group().count("\n"), read(name))
    found = [text[: match.start()].count("\n") + 1 for match in re.finditer(pattern, text, re.IGNORECASE)]
    assert not found, f"{name}, line {found[0]}: {sentence}"


def test_templates_are_whole_sentences_to_jinja():
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, extensions=["jinja2.ext.i18n", "jinja2.ext.do"]
    )
    for name in TEMPLATES:
        environment.parse(read(name), name)


def test_pages_keep_to_the_content_security_policy():
    for name in PAGES:
        refuse(name, r"<[^>]*\son[a-z]+\s*=", "no handlers in the page; the policy blocks them")
        refuse(name, r"<[^>]*\sstyle\s*=", "no style attribute; the policy blocks it, use a class")
        refuse(name, r"<style\b(?![^>]*nonce)", "no style element; the policy blocks it")
        refuse(name, r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", "nothing is fetched from elsewhere")


def test_every_form_that_posts_carries_the_csrf_token():
    for name in PAGES:
        for form in re.findall(r"<form\b.*?</form>", read(name), re.DOTALL | re.IGNORECASE):
            if re.search(r"method\s*=\s*[\"']?post", form, re.IGNORECASE):
                assert re.search("csrf_token|hidden_tag|command_fields", form), f"{name}: {form[:120]}"


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name.endswith("document.html")])
def test_a_forms_answer_stands_in_the_history_as_its_page_before_any_of_it_can_be_pressed(name):
    (script,) = re.findall(r"<script\b[^>]*/back\.js[^>]*>", read(name).partition("<body")[0])
    assert not re.search(r"\b(type|defer|async)\b", script), "it would wait until the page is whole"


@pytest.mark.skipif(not CHECKER.exists(), reason="htmx's checker comes with `run`'s own set-up")
@pytest.mark.skipif(not TEMPLATES, reason="there are no templates")
def test_templates_speak_htmx_4():
    answer = subprocess.run([sys.executable, CHECKER, FOLDER], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
