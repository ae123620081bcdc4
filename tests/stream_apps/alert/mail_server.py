"""A mail server in a process of its own: `python -m tests.stream_apps.alert.mail_server MANNERS`.

It speaks SMTP (RFC 5321) as far as a client that sends needs it. It prints its port, and then a line of JSON for each
mail that it has taken. MANNERS: kind takes everything; full refuses every recipient; busy refuses every mail after its
last byte; silent takes the mail and never says so; mute never says anything, and prints a line when it is reached.
"""

import json
import socketserver
import sys


class Session(socketserver.StreamRequestHandler):
    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def line(self) -> str:
        return self.rfile.readline().decode().rstrip("\r\n")

    def handle(self) -> None:
        manners = sys.argv[1]
        if manners == "mute":
            print("reached", flush=True)
            self.rfile.read()
            return
        self.say("220 mail.example ESMTP")
        mail: dict[str, str] = {}
        while command := self.line():
            verb = command.split(":")[0].split()[0].upper()
            if verb == "EHLO":
                self.say("250-mail.example")
                self.say("250 8BITMIME")
            elif verb == "MAIL":
                mail["from"] = command.partition(":")[2].split()[0].strip("<>")
                self.say("250 OK")
            elif verb == "RCPT":
                mail["to"] = command.partition(":")[2].strip("<> ")
                self.say("452 4.2.2 duty@hospital.example is full" if manners == "full" else "250 OK")
            elif verb == "DATA":
                self.say("354 go on")
                lines = []
                while (text := self.line()) != ".":
                    lines.append(text.removeprefix("."))
                mail["text"] = "\n".join(lines)
                if manners == "busy":
                    self.say("451 4.3.0 later")
                    continue
                print(json.dumps(mail), flush=True)
                if manners == "silent":
                    self.rfile.read()
                    return
                self.say("250 OK")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 OK")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Session) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
