"""What secrets look like.

The shapes are those that the issuers document or that their tokens show: a fixed prefix, an alphabet, a length. Where a
value has no shape of its own, the word before it tells ("password=…"), and the value has to look random.
"""

from __future__ import annotations

from dataclasses import dataclass
from re import escape

_B, _E = r"(?:(?<![A-Za-z0-9])|(?<=%3[Dd])|(?<=%2[02]))", r"(?![A-Za-z0-9_\-])"
_A = "[A-Za-z0-9]"
_W = r"[A-Za-z0-9_\-]"
_HEX = "[0-9a-f]"
_UUID = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of secret. `hints`: one of these stands in every text that holds one, in small letters; `pattern` has a
    group "value" where not all of it is secret."""

    name: str
    hints: tuple[str, ...]
    pattern: str
    is_random: bool = False


def _token(name: str, *prefixes: str, rest: str) -> Shape:
    """A prefix and what follows it, standing alone."""
    either = "|".join(escape(prefix) for prefix in prefixes)
    return Shape(name, tuple(prefix.lower() for prefix in prefixes), f"{_B}(?:{either}){rest}{_E}")


SHAPES: tuple[Shape, ...] = (
    Shape(
        "private key",
        ("private key",),
        r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----)){0,20000}"
        r"(?:-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?",
    ),
    Shape(
        "PuTTY private key",
        ("private-lines:",),
        r"Private-Lines: \d{1,4}\s(?P<value>[A-Za-z0-9+/=\s]{20,20000}?)(?=Private-MAC|\Z)",
    ),
    Shape("age key", ("age-secret-key-",), r"AGE-SECRET-KEY-1[A-Z0-9]{50,70}"),
    _token("Slack configuration token", "xoxe.", "xoxe-", rest=r"[A-Za-z0-9.\-]{6,300}"),
    _token(
        "Slack token",
        "xoxb-",
        "xoxp-",
        "xoxa-",
        "xoxr-",
        "xoxs-",
        "xoxo-",
        "xoxc-",
        "xoxd-",
        rest=r"(?=\S{0,200}\d)[A-Za-z0-9%/+\-]{6,260}",
    ),
    _token("Slack app token", "xapp-", rest=r"(?=\S{0,200}\d)[A-Za-z0-9\-]{6,260}"),
    Shape(
        "Slack webhook address",
        ("hooks.slack.com",),
        r"https://hooks\.slack\.com/(?:services|workflows|triggers)/(?P<value>[A-Za-z0-9+/]{20,200})",
    ),
    _token("Anthropic key", "sk-ant-", rest=rf"{_W}{{12,260}}"),
    _token("OpenRouter key", "sk-or-", rest=rf"{_W}{{16,200}}"),
    _token("OpenAI key", "sk-proj-", "sk-admin-", "sk-svcacct-", "sk-service-", "sk-None-", rest=rf"{_W}{{8,260}}"),
    Shape("OpenAI key", ("sk-",), rf"{_B}sk-(?:{_A}{{20,120}}|{_W}{{32,260}}){_E}", True),
    _token("Google API key", "AIza", rest=rf"{_W}{{33,39}}"),
    _token("Google OAuth secret", "GOCSPX-", rest=rf"{_W}{{20,40}}"),
    Shape("Google OAuth token", ("ya29.",), rf"{_B}ya29\.{_W}{{20,400}}"),
    Shape("AWS access key", ("akia", "asia", "abia", "acca"), rf"{_B}(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{{16}}{_E}"),
    Shape(
        "AWS secret key",
        ("aws", "secret_access", "secretaccesskey"),
        r"(?i:aws[\w \-]{0,20}(?:secret|key)[\w \-]{0,20}|secret_?access_?key)[\"']?\s{0,3}[:=]{1,2}\s{0,3}[\"']?"
        r"(?P<value>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        is_random=True,
    ),
    Shape("AWS Bedrock key", ("absk",), rf"{_B}ABSK[A-Za-z0-9+/]{{80,280}}={{0,2}}"),
    Shape(
        "Azure storage key",
        ("accountkey=", "sharedaccesskey="),
        r"(?i:(?:Account|SharedAccess)Key)=(?P<value>[A-Za-z0-9+/]{40,90}={0,2})",
    ),
    Shape("Azure SAS signature", ("sig=",), r"(?<=[?&])sig=(?P<value>[A-Za-z0-9%+/\-_]{30,120}={0,2})"),
    Shape("Azure client secret", ("q~",), rf"{_B}[A-Za-z0-9_\-.~]{{3}}\dQ~[A-Za-z0-9_\-.~]{{31,34}}"),
    Shape("Azure DevOps token", ("azdo",), rf"{_B}{_A}{{76}}AZDO{_A}{{4}}{_E}"),
    _token("GitHub token", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", rest=f"{_A}{{36,255}}"),
    _token("GitHub token", "github_pat_", rest=r"[A-Za-z0-9_]{22,255}"),
    _token(
        "GitLab token",
        "glpat-",
        "gldt-",
        "glrt-",
        "glcbt-",
        "glptt-",
        "glft-",
        "glimt-",
        "glagent-",
        "gloas-",
        "glsoat-",
        rest=r"[\w.\-]{20,120}",
    ),
    _token("Hugging Face token", "hf_", "api_org_", rest=f"{_A}{{30,60}}"),
    _token("Groq key", "gsk_", rest=f"{_A}{{20,80}}"),
    _token("xAI key", "xai-", rest=f"{_A}{{60,120}}"),
    _token("Perplexity key", "pplx-", rest=f"{_A}{{32,64}}"),
    _token("Replicate token", "r8_", rest=f"{_A}{{30,50}}"),
    _token("Fireworks key", "fw_", rest=f"{_A}{{20,50}}"),
    _token("Tavily key", "tvly-", rest=rf"{_W}{{20,60}}"),
    _token("LangSmith key", "lsv2_pt_", "lsv2_sk_", rest=r"[a-f0-9_]{32,60}"),
    _token("Pinecone key", "pcsk_", rest=r"[A-Za-z0-9_]{40,100}"),
    _token("Stripe key", "sk_live_", "sk_test_", "rk_live_", "rk_test_", rest=f"{_A}{{16,250}}"),
    _token("Stripe webhook secret", "whsec_", rest=r"[A-Za-z0-9+/=]{20,80}"),
    Shape("Twilio key", ("sk",), rf"{_B}SK{_HEX}{{32}}{_E}"),
    Shape("SendGrid key", ("sg.",), rf"{_B}SG\.{_W}{{16,32}}\.{_W}{{30,64}}{_E}"),
    Shape("Mailgun key", ("key-",), rf"{_B}key-{_HEX}{{32}}{_E}"),
    Shape("Mailchimp key", ("-us",), rf"{_B}{_HEX}{{32}}-us\d{{1,2}}{_E}"),
    _token("Brevo key", "xkeysib-", rest=rf"{_HEX}{{64}}-{_A}{{16}}"),
    _token("Resend key", "re_", rest=rf"{_A}{{8}}_{_A}{{20,40}}"),
    _token("npm token", "npm_", rest=f"{_A}{{36}}"),
    _token("PyPI token", "pypi-", rest=rf"AgE{_W}{{50,300}}"),
    _token("RubyGems key", "rubygems_", rest=f"{_HEX}{{48}}"),
    _token("crates.io token", "cio", rest=f"{_A}{{32}}"),
    _token("Docker token", "dckr_pat_", "dckr_oat_", rest=rf"{_W}{{20,80}}"),
    _token("DigitalOcean token", "dop_v1_", "doo_v1_", "dor_v1_", rest=f"{_HEX}{{64}}"),
    _token("Heroku key", "HRKU-", rest=rf"{_W}{{30,80}}"),
    _token("Fly.io token", "FlyV1 ", "fm1_", "fm2_", "fo1_", rest=r"[\w+/=,\-]{30,2000}"),
    _token("Render key", "rnd_", rest=f"{_A}{{28,40}}"),
    _token("Netlify token", "nfp_", "nfc_", "nfo_", "nfb_", rest=f"{_A}{{36}}"),
    _token("Linear key", "lin_api_", "lin_oauth_", rest=f"{_A}{{32,80}}"),
    _token("Notion token", "ntn_", rest=f"{_A}{{40,60}}"),
    _token("Notion token", "secret_", rest=f"{_A}{{43}}"),
    _token("Atlassian token", "ATATT3", "ATCTT3", "ATBB", "ATOA", rest=r"[\w=\-]{20,260}"),
    _token("Airtable token", "pat", rest=rf"{_A}{{14}}\.{_HEX}{{64}}"),
    _token("Asana token", "1/", rest=rf"\d{{13,20}}:{_HEX}{{32}}"),
    _token("ClickUp token", "pk_", rest=r"\d{6,10}_[A-Z0-9]{32}"),
    _token("Figma token", "figd_", "figo_", rest=rf"{_W}{{36,60}}"),
    _token("Typeform token", "tfp_", rest=r"[\w.=\-]{40,70}"),
    _token("HubSpot token", "pat-na1-", "pat-eu1-", "pat-na2-", rest=_UUID),
    _token("Databricks token", "dapi", rest=f"{_HEX}{{32}}(?:-\\d)?"),
    _token("Datadog key", "ddapi_", "ddapp_", "ddpat_", rest=rf"{_W}{{20,80}}"),
    _token("New Relic key", "NRAK-", "NRAA-", "NRJS-", "NRII-", "NRIQ-", rest=rf"{_W}{{15,60}}"),
    Shape(
        "Sentry address", ("sentry",), rf"https://(?P<value>{_HEX}{{32}}(?::{_HEX}{{32}})?)(?=@[\w.\-]{{1,80}}sentry)"
    ),
    _token("Sentry token", "sntrys_", "sntryu_", "sntrya_", rest=r"[\w+/=\-]{40,400}"),
    _token("Grafana token", "glsa_", rest=rf"{_A}{{32}}_{_HEX}{{8}}"),
    _token("Grafana token", "glc_", rest=r"[A-Za-z0-9+/]{32,400}={0,2}"),
    _token("PostHog key", "phx_", "phs_", rest=rf"{_W}{{32,64}}"),
    _token("Dynatrace token", "dt0c01.", "dt0s16.", rest=r"[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    _token("Honeycomb key", "hcaik_", "hcbik_", "hcxik_", rest=f"{_A}{{40,90}}"),
    Shape("Telegram bot token", (":aa",), rf"{_B}\d{{8,10}}:AA{_W}{{33}}{_E}"),
    Shape("Discord token", (".",), rf"{_B}[MNO][A-Za-z0-9]{{23,25}}\.{_W}{{6}}\.{_W}{{27,40}}{_E}"),
    Shape(
        "Discord webhook address",
        ("/api/webhooks/",),
        rf"https://(?:\w{{1,10}}\.)?discord(?:app)?\.com/api/webhooks/\d{{15,20}}/(?P<value>{_W}{{60,80}})",
    ),
    Shape(
        "Teams webhook address",
        ("webhook.office.com",),
        r"https://[\w\-]{1,60}\.webhook\.office\.com/(?P<value>webhookb2/[\w@/\-]{60,260})",
    ),
    _token("Shopify token", "shpat_", "shpca_", "shppa_", "shpss_", rest="[0-9a-fA-F]{32}"),
    _token("Square token", "sq0atp-", "sq0csp-", "sq0idp-", rest=rf"{_W}{{22,60}}"),
    _token("Square token", "EAAA", rest=rf"{_W}{{60}}"),
    _token("Plaid token", "access-sandbox-", "access-development-", "access-production-", rest=_UUID),
    _token("PayPal token", "access_token$production$", "access_token$sandbox$", rest=rf"{_A}{{16}}\${_HEX}{{32}}"),
    _token("Facebook token", "EAACEdEose0cBA", "EAAG", rest=f"{_A}{{40,260}}"),
    _token("Vault token", "hvs.", "hvb.", "hvr.", rest=rf"{_W}{{24,300}}"),
    _token("Pulumi token", "pul-", rest=f"{_HEX}{{40}}"),
    Shape("Terraform token", (".atlasv1.",), rf"{_B}{_A}{{14}}\.atlasv1\.{_W}{{60,80}}{_E}"),
    _token("Doppler token", "dp.pt.", "dp.st.", "dp.sa.", "dp.ct.", rest=r"[\w.\-]{40,70}"),
    _token("1Password token", "ops_ey", rest=rf"{_W}{{60,1200}}"),
    _token("Infisical token", "st.", rest=rf"{_HEX}{{24}}\.{_HEX}{{64}}\.{_HEX}{{32}}"),
    _token("Supabase key", "sbp_", rest=f"{_HEX}{{40}}"),
    _token("Supabase key", "sb_secret_", rest=rf"{_W}{{20,60}}"),
    _token("PlanetScale token", "pscale_tkn_", "pscale_pw_", "pscale_oauth_", rest=r"[\w.\-]{32,64}"),
    _token("Postman key", "PMAK-", rest=rf"{_HEX}{{24}}-{_HEX}{{34}}"),
    _token("CircleCI token", "CCIPAT_", "CCIPRJ_", rest=rf"{_W}{{40,90}}"),
    _token("Buildkite token", "bkua_", rest=f"{_HEX}{{40}}"),
    _token("SonarQube token", "squ_", "sqp_", "sqa_", rest=f"{_HEX}{{40}}"),
    _token("Tailscale key", "tskey-", rest=rf"(?:auth|api|client|webhook|scim)-{_W}{{16,80}}"),
    _token("Cloudflare key", "v1.0-", rest=rf"{_HEX}{{24}}-{_HEX}{{146}}"),
    _token("Contentful token", "CFPAT-", rest=rf"{_W}{{43}}"),
    _token("JFrog key", "AKCp", rest=f"{_A}{{60,80}}"),
    _token("Vercel token", "vcp_", "vci_", "vca_", "vcr_", "vck_", rest=f"{_A}{{20,80}}"),
    Shape(
        "Fernet key",
        ("fernet",),
        rf"(?i:fernet[\w \-]{{0,20}})[\"']?\s{{0,3}}[:=(]{{1,2}}\s{{0,3}}b?[\"']?(?P<value>{_W}{{43}}=)",
    ),
    Shape("Fernet ciphertext", ("gaaaaa",), rf"{_B}gAAAAA{_W}{{70,4000}}={{0,2}}"),
    Shape("JSON Web Token", ("eyj",), rf"{_B}eyJ{_W}{{8,2000}}\.eyJ{_W}{{8,6000}}(?:\.{_W}{{0,1200}})?"),
    Shape(
        "password in an address",
        ("://",),
        r"(?<=://)[^\s/:@<>\"'`]{0,80}:(?P<value>[^\s/@<>\"'`$\[{][^\s/@<>\"'`]{0,120})(?=@[\w\[])",
    ),
    Shape(
        "authorization header",
        ("bearer ", "basic ", "authorization"),
        r"(?i:\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:bearer|basic|token)\s{1,3})(?P<value>[A-Za-z0-9._~+/\-]{8,2000}={0,2})",
    ),
    Shape(
        "bearer token",
        ("bearer ",),
        r"(?i:\bbearer\s{1,3})(?P<value>[A-Za-z0-9._~+/\-]{16,2000}={0,2})",
        is_random=True,
    ),
    Shape(
        "password in a command",
        (" -p",),
        r"(?i:\b(?:mysql\w{0,10}|sshpass)) (?:-\w \w{1,30} ){0,3}-p(?P<value>[^\s-]\S{5,80})",
    ),
    Shape(
        "secret",
        ("pass", "pwd", "secret", "token", "key", "credential", "auth"),
        r"(?P<name>(?i:password|passwd|passphrase|pwd|secret|token|api[_\- ]?key|access[_\- ]?key|private[_\- ]?key"
        r"|auth[_\- ]?key|credentials?))(?:[_\-]\w{1,16})?[\"'`]?\s{0,3}(?::=|=>|=|:)\s{0,3}[\"'`]?"
        r"(?P<value>[^\s\"'`<>\[\](){},;]{8,200})",
        is_random=True,
    ),
)
