"""What people write: policies and agent.toml."""

from __future__ import annotations

from agent.errors import ConfigError, PolicyError
from tests.fuzz.target import Check, Target, must
from tests.unit.policy.policies import CASES, policy_text


def _policies() -> list[bytes]:

    found = [path.read_bytes() for path in sorted(CASES.rglob("*.yaml"))[:60]]
    found += [path.read_bytes() for path in sorted((CASES.parent / "profiles").rglob("*.yaml"))]
    return [policy_text("{action: copy}"), *found]


def _policy() -> Check:
    from agent.i18n import catalogue
    from agent.policy import compile_policy, parse_policy
    from agent.policy.explain import as_json, explain
    from agent.policy.given import facts_from_words
    from agent.policy.lint import lint
    from agent.policy.sentences import policy_sentences

    facts = [facts_from_words({"action": action}) for action in ("copy", "sync", "download")]
    french = catalogue("fr").gettext

    def check(data: bytes) -> None:
        policy = parse_policy(data, "fuzz.yaml")
        lint(policy)
        said = len(policy.rules) + bool(policy.hosts)
        must(len(policy_sentences(policy, french)) == said, "every rule is a sentence")
        compiled = compile_policy(policy)
        for given in facts:
            as_json(explain(compiled, given))

    return check


def _refusal() -> Check:
    from agent.policy.load import everything_wrong, load_policy

    def check(data: bytes) -> None:
        wrong = everything_wrong(data, "fuzz.yaml")
        for error in wrong:
            must({"file", "line", "rule", "expected", "found"} <= set(error.fields), "a refusal says where")
            must(str(error).isprintable() or "\n" in str(error), "a refusal can be shown")
        try:
            load_policy(data, "fuzz.yaml")
        except PolicyError:
            must(wrong, "lint finds what loading refuses")
        else:
            must(not wrong, "loading refuses what lint finds")

    return check


def _config() -> Check:
    import tempfile
    from pathlib import Path

    from agent.config import load_config

    folder = tempfile.TemporaryDirectory(prefix="serment-fuzz-")
    path = Path(folder.name) / "agent.toml"

    def check(data: bytes, _keep: object = folder) -> None:
        path.write_bytes(data)
        config = load_config(path)
        must(config.agent.data_dir.is_absolute() and config.agent.runtime_dir.is_absolute(), "folders are absolute")
        must(b"\0" not in bytes(config.agent.data_dir), "a folder has no NUL")

    return check


_TOML = b"""[agent]
data_dir = "/var/lib/serment"
runtime_dir = "/run/serment"
language = "fr"
[policy]
file = "/etc/serment/policy.yaml"
[channels.removable]
enabled = true
volumes = ["/media/x"]
[channels.cloud_sync]
enabled = true
folders = []
discover = true
[collector]
url = "embedded"
port = 8443
"""
_YAML_WORDS = (
    b"&a ", b"*a", b"!!python/object:os.system ", b"<<: *a", b"? ", b"- ", b": ", b"|\n", b">-\n", b"{", b"}", b"[", b"]", b"%YAML 1.1\n",
    b"---\n", b"...\n", b"\xef\xbb\xbf", b"\t", b"\x85", b"\xe2\x80\xa8", b"\xe2\x80\xae", b"when: ", b"then: block", b"mode: enforce",
    b"unless:\n", b"until: 2026-02-30", b"until: 0000-00-00", b"given: {action: copy}", b"expect: observe", b"not ", b"size: 99999999999 GB",
    b"devices:\n", b"rules:\n", b"tests:\n", b"message: {fr: a, en: b}", b"\xff\xfe", b"[" * 40,
)  # fmt: skip
_TOML_WORDS = (
    b"[a]", b"[[a]]", b"a.b.c = ", b"= 1e400", b"= nan", b"= 1979-05-27T07:32:00Z", b'"""', b"'''", b"\\u0000", b"\\UFFFFFFFF",
    b"[" * 300, b"a = {b = ", b"0x", b"\x00", b"data_dir = ", b"[agent]", b"[collector]", b"url = ", b'"http://x"', b'"https://["',
)  # fmt: skip
TARGETS = (
    Target("policy", "a policy parses, lints, explains and reads aloud, or is refused", _policies, _policy,
           PolicyError, _YAML_WORDS, cpu_s=4.0),
    Target("policy-refusal", "what loading refuses, lint finds, with file, line, rule, expected, found",
           _policies, _refusal, words=_YAML_WORDS, cpu_s=4.0),
    Target("config", "agent.toml is a configuration with absolute folders, or refused", lambda: [_TOML], _config,
           ConfigError, _TOML_WORDS),
)  # fmt: skip
