"""Values in the shapes of secrets, made up here and now: no literal in this file looks like one."""

from __future__ import annotations

import random
import string

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
WORD = LETTERS + "_-"


def made_up(seed: int = 1) -> list[tuple[str, str, str]]:
    """The kind of each, a text that holds it, and the part of that which is secret."""
    rng = random.Random(seed)

    def of(length: int, alphabet: str = LETTERS) -> str:
        # Letters and digits both, as a generator of keys would have it.
        return "".join(rng.choice(alphabet) for _ in range(length - 2)) + "7a"

    def uuid() -> str:
        return "-".join(of(n, HEX) for n in (8, 4, 4, 4, 12))

    def key(kind: str) -> str:
        head = "-----BEGIN " + kind + "PRIVATE" + " KEY-----"
        return f"{head}\n{of(64)}\n{of(64)}\n{of(30)}==\n{head.replace('BEGIN', 'END')}"

    def jwt() -> str:
        return ".".join(("ey" + "J" + of(20), "ey" + "J" + of(60), of(43, WORD)))

    plain = [
        ("private key", key("RSA ")),
        ("private key", key("OPENSSH ")),
        ("private key", key("")),
        ("age key", "AGE-SECRET" + "-KEY-1" + of(58, string.ascii_uppercase + "0234567").upper()),
        ("Slack token", "xox" + "b-" + of(11, "123456789") + "-" + of(24)),
        ("Slack token", "xox" + "p-" + of(11, "123456789") + "-" + of(32)),
        ("Slack app token", "xap" + "p-1-A" + of(10).upper() + "-" + of(12, HEX) + "-" + of(60, HEX)),
        ("Slack configuration token", "xox" + "e.xox" + "p-1-" + of(80)),
        ("Slack configuration token", "xox" + "e-1-" + of(80)),
        ("Anthropic key", "sk-" + "ant-api03-" + of(90, WORD)),
        ("OpenAI key", "sk-" + "proj-" + of(120, WORD)),
        ("OpenAI key", "sk-" + "admin-" + of(60, WORD)),
        ("OpenAI key", "sk-" + of(48)),
        ("OpenRouter key", "sk-" + "or-v1-" + of(64, HEX)),
        ("Google API key", "AI" + "za" + of(35, WORD)),
        ("Google OAuth secret", "GOC" + "SPX-" + of(28, WORD)),
        ("Google OAuth token", "ya" + "29." + of(80, WORD)),
        ("AWS access key", "AK" + "IA" + "".join(rng.choice(string.ascii_uppercase + "234567") for _ in range(16))),
        ("Azure client secret", of(3) + "8Q" + "~" + of(31)),
        ("GitHub token", "gh" + "p_" + of(36)),
        ("GitHub token", "gh" + "o_" + of(36)),
        ("GitHub token", "gh" + "s_" + of(36)),
        ("GitHub token", "gh" + "r_" + of(76)),
        ("GitHub token", "github" + "_pat_" + of(22) + "_" + of(59)),
        ("GitLab token", "gl" + "pat-" + of(20, WORD)),
        ("Hugging Face token", "h" + "f_" + of(34)),
        ("Groq key", "gs" + "k_" + of(52)),
        ("xAI key", "xa" + "i-" + of(80)),
        ("Perplexity key", "pp" + "lx-" + of(48)),
        ("Replicate token", "r" + "8_" + of(37)),
        ("Pinecone key", "pc" + "sk_" + of(60)),
        ("Stripe key", "sk" + "_live_" + of(24)),
        ("Stripe key", "rk" + "_live_" + of(99)),
        ("Stripe webhook secret", "wh" + "sec_" + of(32)),
        ("Twilio key", "S" + "K" + of(32, HEX)),
        ("SendGrid key", "S" + "G." + of(22, WORD) + "." + of(43, WORD)),
        ("Mailgun key", "ke" + "y-" + of(32, HEX)),
        ("Mailchimp key", of(32, HEX) + "-us" + "12"),
        ("npm token", "np" + "m_" + of(36)),
        ("PyPI token", "py" + "pi-AgE" + of(150, WORD)),
        ("RubyGems key", "ruby" + "gems_" + of(48, HEX)),
        ("Docker token", "dckr" + "_pat_" + of(27, WORD)),
        ("DigitalOcean token", "do" + "p_v1_" + of(64, HEX)),
        ("Heroku key", "HR" + "KU-" + of(58, WORD)),
        ("Linear key", "lin" + "_api_" + of(40)),
        ("Notion token", "nt" + "n_" + of(46)),
        ("Notion token", "secret" + "_" + of(43)),
        ("Atlassian token", "ATA" + "TT3x" + of(180, WORD) + "=" + of(8, HEX).upper()),
        ("Airtable token", "pa" + "t" + of(14) + "." + of(64, HEX)),
        ("Figma token", "fig" + "d_" + of(40, WORD)),
        ("HubSpot token", "pat" + "-na1-" + uuid()),
        ("Databricks token", "da" + "pi" + of(32, HEX)),
        ("Datadog key", "dda" + "pp_" + of(34)),
        ("New Relic key", "NR" + "AK-" + of(27).upper()),
        ("Sentry token", "sn" + "tryu_" + of(64, HEX)),
        ("Grafana token", "gl" + "sa_" + of(32) + "_" + of(8, HEX)),
        ("Grafana token", "gl" + "c_" + of(120)),
        ("PostHog key", "ph" + "x_" + of(43)),
        ("Dynatrace token", "dt0" + "c01." + of(24).upper() + "." + of(64).upper()),
        ("Telegram bot token", "6" + of(9, "123456789")[:7] + "12" + ":A" + "A" + of(33, WORD)),
        ("Discord token", "M" + of(25) + "." + of(6, WORD) + "." + of(38, WORD)),
        ("Shopify token", "shp" + "at_" + of(32, HEX)),
        ("Square token", "sq0" + "atp-" + of(22, WORD)),
        ("Plaid token", "access" + "-production-" + uuid()),
        ("Vault token", "hv" + "s." + of(90, WORD)),
        ("Pulumi token", "pu" + "l-" + of(40, HEX)),
        ("Terraform token", of(14) + ".atlas" + "v1." + of(67, WORD)),
        ("Doppler token", "dp" + ".pt." + of(43)),
        ("Supabase key", "sb" + "p_" + of(40, HEX)),
        ("Supabase key", "sb" + "_secret_" + of(31, WORD)),
        ("PlanetScale token", "pscale" + "_tkn_" + of(43, WORD)),
        ("Postman key", "PM" + "AK-" + of(24, HEX) + "-" + of(34, HEX)),
        ("Tailscale key", "ts" + "key-auth-" + of(16) + "-" + of(32)),
        ("CircleCI token", "CCI" + "PAT_" + of(22) + "_" + of(40, HEX)),
        ("JSON Web Token", jwt()),
        ("Fernet ciphertext", "gA" + "AAAA" + of(100, WORD) + "=="),
    ]
    found = [(kind, f"Here it is: {value} and so on.", value) for kind, value in plain]
    within = [
        (
            "Slack webhook address",
            "https://hooks.slack" + ".com/services/{}",
            "T" + of(8) + "/B" + of(8) + "/" + of(24),
        ),
        ("AWS secret key", "aws_secret_access_key = {}", of(40, LETTERS + "/+")),
        ("Azure storage key", "AccountName=x;Account" + "Key={};EndpointSuffix=core", of(86) + "=="),
        ("Azure SAS signature", "https://x.blob.core.windows.net/c?sv=2024&si" + "g={}", of(43) + "%3D"),
        ("Sentry address", "https://{}" + "@o1.ingest.sentry.io/2", of(32, HEX)),
        ("Discord webhook address", "https://discord" + ".com/api/webhooks/123456789012345678/{}", of(68, WORD)),
        ("Fernet key", "FERNET_KEY={}", of(43, WORD) + "="),
        ("password in an address", "postgresql://bot:{}" + "@db.internal:5432/app", of(14)),
        ("password in an address", "redis://:{}" + "@cache:6379", of(20)),
        ("authorization header", "Authorization: Basic {}", of(24)),
        ("bearer token", "curl -H 'X: Bearer {}'", of(40)),
        ("secret", "password={}", of(12) + "!"),
        ("secret", "export DB_PASSWORD='{}'", of(16)),
        ("secret", '"client_secret": "{}"', of(40)),
        ("secret", "api_key: {}", of(32)),
        ("secret", "Server=x;Pwd={};", of(12) + "#9"),
        ("secret", "HEROKU_API_KEY={}", uuid()),
        ("password in a command", "mysql -u root -p{} shop", of(12)),
    ]
    return found + [(kind, text.format(value), value) for kind, text, value in within]
