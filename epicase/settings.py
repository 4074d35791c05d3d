"""Settings: one file, safe by default, from the environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from epicase import config
from epicase.demo import published

BASE_DIR = config.BASE_DIR
STATE_DIR = config.state_dir()
EPICASE_DEMO = config.is_demo()
EPICASE_TEST = config.is_test()
EPICASE_DEV = config.flag("EPICASE_DEV")
EPICASE_DEMO_PASSWORD = published.PASSWORD if EPICASE_DEMO else ""
EPICASE_DEMO_ACCOUNTS = list(published.ACCOUNTS) if EPICASE_DEMO else []
# The numbers of the synthetic outbreak (area 99xxxx, phones 100-0000-xxxx) are refused elsewhere.
EPICASE_ACCEPT_DEMO_NUMBERS = config.may_improvise()
_LOCAL = config.may_improvise()

DEBUG = False
SECRET_KEY = config.secret("EPICASE_SECRET_KEY", improvised="secret_key")
EPICASE_KEYRING = config.key_url("EPICASE_KEYRING", improvised="keyring.json")
EPICASE_SUITE = config.text("EPICASE_SUITE", "aes")
VAULT_EPOCH_TTL = 600
EPICASE_LOGIN = config.login()
EPICASE_AUDIT_KEY = config.text("EPICASE_AUDIT_KEY") or (
    f"file:{STATE_DIR}/secrets/audit.key" if _LOCAL else ""
)
# The ledger's public keys, for processes that may not see the signing key.
EPICASE_AUDIT_VKEY = config.text("EPICASE_AUDIT_VKEY", "")
EPICASE_CHECKPOINT_FILE = config.text("EPICASE_CHECKPOINT_FILE") or str(
    STATE_DIR / "checkpoints.txt" if _LOCAL else ""
)
EPICASE_EXPORT_DIR = config.text("EPICASE_EXPORT_DIR") or str(STATE_DIR / "exports")
EPICASE_LOG_ORIGIN = config.text("EPICASE_LOG_ORIGIN", "epicase.local/ledger")
EPICASE_TRUSTED_PROXIES = [p for p in (config.text("EPICASE_TRUSTED_PROXIES") or "").split(",") if p]

_hosts = config.text("EPICASE_ALLOWED_HOSTS") or ("127.0.0.1,localhost,[::1],testserver" if _LOCAL else "")
ALLOWED_HOSTS = [host.strip() for host in _hosts.split(",") if host.strip()]
if not ALLOWED_HOSTS:
    raise config.Misconfigured(
        "EPICASE_ALLOWED_HOSTS is missing: name the host people type, e.g. cases.example.org."
    )
CSRF_TRUSTED_ORIGINS = [
    f"https://{host}" for host in ALLOWED_HOSTS if not _LOCAL and not host.startswith(".")
]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "guardian",
    "auditlog",
    "axes",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "vault",
    "audit",
    "access",
    "cases",
    "contacts",
    "disclosure",
    "epicase",
]

# The order is argued in docs/security-flow.md: nothing above OneTransaction may touch the database.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "epicase.middleware.NoStore",
    "audit.middleware.OneTransaction",
    "access.sessions.SessionMiddleware",
    "access.middleware.PersonsLanguage",
    "epicase.middleware.WrongMethod",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "access.half_signed_in.OnlyWithSecondFactor",
    "axes.middleware.AxesMiddleware",
    "access.middleware.WearActor",
]

ROOT_URLCONF = "epicase.urls"
WSGI_APPLICATION = "epicase.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "access.context_processors.frame",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "access.templatetags.frame",
            ],
        },
    }
]

_servers = config.urls()
DATABASES = {"default": config.database(_servers.database)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "access.backends.RoleBackend",
    "access.backends.GrantBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "display_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Values shown to a person in any hour, by role; beyond it 429, an alarm and a review (an account may have less).
EPICASE_REVEALS_PER_HOUR = {"investigator": 120, "supervisor": 60}

LOGIN_URL = "access:sign_in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "access:sign_in"

# Outside demo, tests and development nobody can switch these off.
EPICASE_REQUIRE_SECOND_FACTOR = not _LOCAL or config.flag("EPICASE_REQUIRE_SECOND_FACTOR")
EPICASE_STEP_UP = not _LOCAL or config.flag("EPICASE_STEP_UP")
EPICASE_PLEDGE = not _LOCAL or config.flag("EPICASE_PLEDGE")
EPICASE_STEP_UP_SECONDS = 5 * 60

# None: people sign in by password. docs/single-sign-on.md.
EPICASE_OIDC = config.single_sign_on()

# Of allauth only the second factors are used, inside our own pages: none of its addresses exists here.
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
# axes alone counts and locks; allauth's own counters live in a cache of each process.
ACCOUNT_RATE_LIMITS = False
MFA_ADAPTER = "access.factors.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "epicase"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_DIGITS = 10
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = False
MFA_WEBAUTHN_USER_VERIFICATION = "required"

ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_GET_INIT_ANONYMOUS_USER = None
GUARDIAN_AUTO_PREFETCH = False

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "access.sign_in.locked_out"
AXES_USERNAME_CALLABLE = "access.sign_in.counted_name"
AXES_CLIENT_IP_CALLABLE = "audit.context.client_ip"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_DISABLE_ACCESS_LOG = True
AXES_SENSITIVE_PARAMETERS = ["username", "password", "code", "passkey", "wanted", "again"]

AUDITLOG_LOGENTRY_MODEL = "audit.Event"

SESSION_ENGINE = "access.sessions"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_IDLE_SECONDS = 15 * 60 if not _LOCAL else 2 * 3600
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not _LOCAL
SESSION_COOKIE_NAME = "epicase_session" if _LOCAL else "__Host-session"
CSRF_COOKIE_NAME = "epicase_csrf" if _LOCAL else "__Host-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "access.views.csrf_failed"
SECURE_SSL_REDIRECT = not _LOCAL
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 0 if _LOCAL else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not _LOCAL
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if EPICASE_TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LANGUAGE_CODE = "zh-hans"
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = not _LOCAL
LOCALE_PATHS = [
    BASE_DIR / app / "locale" for app in ("epicase", "disclosure", "contacts", "cases", "access", "audit")
]
USE_I18N = USE_TZ = True
TIME_ZONE = config.text("EPICASE_TIME_ZONE", "Asia/Shanghai")

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(config.text("EPICASE_STATIC_ROOT") or STATE_DIR / "static")
WHITENOISE_USE_FINDERS = _LOCAL
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# Uploaded line lists hold personal data: they stay in memory and never touch a temporary file.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 40 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "access.api_tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["access.api_permissions.RolePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "access.api_errors.exception_handler",
    "DEFAULT_THROTTLE_CLASSES": [],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "epicase",
    "DESCRIPTION": "Reads answer masked values; only `reveal` answers plain ones, and every act is in the ledger.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["access.api_paths.described"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "audit.api_schema.describe_errors",
    ],
}

CELERY_BROKER_URL = _servers.redis
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "retry_on_timeout": False,
    # Who approves an export waits no longer for a dead broker; beat starts the work when it is back.
    "max_retries": 1,
    "interval_start": 0.2,
    "interval_step": 0,
    "interval_max": 0.2,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "work"
CELERY_TASK_ROUTES = {"audit.tasks.*": {"queue": "audit"}}
# Hours of nightly tasks are those of the place.
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = {
    "expire requests for access": {
        "task": "access.tasks.expire_requests",
        "schedule": crontab(hour=2, minute=10),
        "options": {"expires": 3600},
    },
    "tell of unused grants": {
        "task": "access.tasks.tell_of_unused_grants",
        "schedule": crontab(hour=2, minute=30),
        "options": {"expires": 3600},
    },
    "seal the ledger": {"task": "audit.tasks.seal", "schedule": 2.0, "options": {"expires": 2}},
    "resume exports": {"task": "disclosure.tasks.resume_exports", "schedule": 5.0, "options": {"expires": 5}},
    "expire exports": {
        "task": "disclosure.tasks.expire_exports",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "remind of reviews": {
        "task": "access.tasks.remind_reviews",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "resume imports": {"task": "cases.tasks.resume_imports", "schedule": 5.0, "options": {"expires": 5}},
    "forget held files": {
        "task": "cases.tasks.forget_held_files",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    # Django's own request log would print addresses and, on errors, local values: the ledger says what was refused.
    "loggers": {
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "ERROR"},
        "django.db.backends": {"level": "ERROR"},
        "epicase": {"level": "INFO"},
        "axes": {"level": "ERROR"},
    },
}
SILENCED_SYSTEM_CHECKS = [
    "auditlog.E001",  # AuditlogMiddleware is not used: our own context fills actor and address.
    "guardian.W001",  # GrantBackend is guardian's backend with expiry.
    "axes.W003",  # AxesStandaloneBackend stands first.
]
