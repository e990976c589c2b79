"""A mail server for tests: aiosmtpd with TLS by an authority of its own, and a log of what it took.

    mail_server.py DIRECTORY [--tls | --plain] [--login USER:PASSWORD]

Writes ca.pem, port (once it listens) and log.jsonl (a line for each letter that was handed over, before it is answered) into
DIRECTORY, and reads `late` from there: seconds to wait between a letter and its answer. What else happens a recipient's name says:
full@ is tried again later (451), nobody@ is refused (550), refused@ is refused after the letter (554), full.later@ is put off after
the letter (452), lost@ gets no answer to the letter.
"""

import argparse
import asyncio
import datetime
import email
import email.policy
import json
import pathlib
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificates(directory):
    """An authority and a certificate for localhost that it has signed."""
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)

    def named(name):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def made(subject, issuer, key, signer, extension):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - day).not_valid_after(now + day)
        return builder.add_extension(extension, critical=True).sign(signer, hashes.SHA256())

    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = made(named("authority of tests"), named("authority of tests"), authority, authority,
                x509.BasicConstraints(ca=True, path_length=0))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    own = made(named("localhost"), named("authority of tests"), key, authority, names)
    pem = serialization.Encoding.PEM
    (directory / "ca.pem").write_bytes(root.public_bytes(pem))
    (directory / "own.pem").write_bytes(own.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (directory / "key.pem").write_bytes(private)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(directory / "own.pem", directory / "key.pem")
    return context


class Handler:
    def __init__(self, directory):
        self.directory = directory
        self.log = open(directory / "log.jsonl", "a", encoding="utf-8")

    def late(self):
        try:
            return float((self.directory / "late").read_text() or 0)
        except FileNotFoundError:
            return 0.0

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "full":
            return "451 4.2.2 mailbox full, try again later"
        if name == "nobody":
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        line = {
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
            "user": session.auth_data if isinstance(session.auth_data, str) else None,
            "headers": [[name, str(value)] for name, value in letter.items()],
            "text": letter.get_body(("plain",)).get_content(),
            "html": letter.get_body(("html",)).get_content(),
        }
        self.log.write(json.dumps(line) + "\n")
        self.log.flush()
        await asyncio.sleep(self.late())
        name = envelope.rcpt_tos[0].split("@")[0]
        if name == "refused":
            return "554 5.7.1 it looks like spam"
        if name == "full.later":
            return "452 4.3.1 no room for the letter"
        if name == "lost":
            server.transport.abort()
        return "250 2.0.0 taken"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--login")
    arguments = parser.parse_args()
    directory = arguments.directory
    handler, context = Handler(directory), certificates(directory)
    options = {"hostname": "localhost", "decode_data": False, "enable_SMTPUTF8": False, "data_size_limit": 1 << 22}
    if arguments.login:
        user, password = arguments.login.split(":", 1)

        def check(server, session, envelope, mechanism, data):
            is_right = (data.login.decode(), data.password.decode()) == (user, password)
            return AuthResult(success=is_right, handled=False, auth_data=user)

        options |= {"authenticator": check, "auth_required": True, "auth_require_tls": not arguments.plain}
    if arguments.tls:
        options |= {"ssl_context": context}
    elif not arguments.plain:
        options |= {"tls_context": context, "require_starttls": True}

    class OnAnyPort(Controller):
        """Says which port the system gave."""

        def _trigger_server(self):
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    controller = OnAnyPort(handler, port=0, **options)
    controller.start()
    (directory / "port.new").write_text(str(controller.port))
    (directory / "port.new").rename(directory / "port")
    threading.Event().wait()


if __name__ == "__main__":
    main()
