"""The everyday calls of docker-py, against the engine at DOCKER_HOST. Ends with 0 when all is as it should be."""
import io
import tarfile

import docker
from docker.types import Mount

client = docker.from_env()


def check(what, holds):
    print(("ok " if holds else "not ok ") + what, flush=True)
    if not holds:
        raise SystemExit(1)


check("ping", client.ping())
check("version", client.version()["Os"] == "linux")
check("info", client.info()["OSType"] == "linux")
check("run", client.containers.run("busybox", ["echo", "hi"], remove=True) == b"hi\n")
try:
    client.containers.run("busybox", ["sh", "-c", "echo bad >&2; exit 3"], remove=True)
    check("run that fails raises", False)
except docker.errors.ContainerError as error:
    check("run that fails raises", error.exit_status == 3 and b"bad" in error.stderr)
try:
    client.containers.run("busybox", ["nosuch"], remove=True)
    check("a program that is not there raises", False)
except docker.errors.APIError as error:
    check("a program that is not there raises", error.status_code == 400 and "nosuch" in str(error))

web = client.containers.run(
    "busybox",
    ["sh", "-c", "echo up; sleep 100"],
    detach=True,
    name="web",
    labels={"a": "b"},
    environment={"A": "1"},
    ports={"80/tcp": ("127.0.0.1", 18050)},
    mem_limit="64m",
    mounts=[Mount("/data", "vol", type="volume")],
    tmpfs={"/t": "size=1m"},
    ulimits=[docker.types.Ulimit(name="nofile", soft=100, hard=200)],
)
check("get by name", client.containers.get("web").id == web.id)
check("list by label", [c.name for c in client.containers.list(filters={"label": "a=b"})] == ["web"])
web.reload()
check("status", web.status == "running")
check("ports", web.ports["80/tcp"][0]["HostPort"] == "18050")
check("exec", web.exec_run(["sh", "-c", "echo $A; exit 4"]) == (4, b"1\n"))
check("exec in two streams", web.exec_run(["sh", "-c", "echo o; echo e >&2"], demux=True).output == (b"o\n", b"e\n"))
check("exec as a stream", b"".join(web.exec_run(["echo", "s"], stream=True).output) == b"s\n")
for line in web.logs(stream=True, follow=True):
    check("logs are followed", line == b"up\n")
    break
check("logs", web.logs() == b"up\n" and web.logs(tail=0) == b"")
check("top", any("sleep" in " ".join(p) for p in web.top()["Processes"]))
check("stats", "memory_stats" in web.stats(stream=False))
check("stats as a stream", "cpu_stats" in next(web.stats(stream=True, decode=True)))
data = io.BytesIO()
with tarfile.open(fileobj=data, mode="w") as tar:
    info = tarfile.TarInfo("f")
    info.size = 2
    tar.addfile(info, io.BytesIO(b"x\n"))
check("put archive", web.put_archive("/data", data.getvalue()))
bits, stat = web.get_archive("/data/f")
check("get archive", stat["name"] == "f" and stat["size"] == 2 and len(b"".join(bits)) > 512)
check("diff", isinstance(web.diff(), list))
web.pause()
web.unpause()
web.rename("renamed")
web.update(mem_limit="128m", memswap_limit="256m")
web.stop(timeout=0)
check("wait", web.wait()["StatusCode"] == 137)
image = web.commit("made/commit", tag="1", conf={"Labels": {"x": "y"}})
check("commit", image.tags == ["made/commit:1"] and image.labels.get("x") == "y")
check("save", sum(len(chunk) for chunk in image.save(named=True)) > 100000)
check("history", len(image.history()) > 1)
image.tag("made/other", "2")
client.images.remove("made/other:2")
client.images.remove("made/commit:1")
web.remove(v=True)
try:
    client.containers.get("renamed")
    check("not found raises", False)
except docker.errors.NotFound:
    check("not found raises", True)
try:
    client.images.get("nosuch")
    check("image not found raises", False)
except docker.errors.ImageNotFound:
    check("image not found raises", True)

network = client.networks.create(
    "net", ipam=docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet="10.66.7.0/24")])
)
one = client.containers.create("busybox", ["sleep", "100"], name="one", network="net")
one.start()
two = client.containers.run(
    "busybox", ["ping", "-c", "1", "-W", "2", "one"], network="net", remove=True
)
check("names are found in a network", b"1 packets received" in two)
network.reload()
check("network members", [c.name for c in network.containers] == ["one"])
network.disconnect(one)
network.connect(one, aliases=["other"], ipv4_address="10.66.7.77")
one.reload()
check("address", one.attrs["NetworkSettings"]["Networks"]["net"]["IPAddress"] == "10.66.7.77")
one.remove(force=True)
network.remove()
context = io.BytesIO()
with tarfile.open(fileobj=context, mode="w") as tar:
    for name, text in {"Dockerfile": b'FROM busybox\nARG A\nCOPY f /\nRUN echo "$A" >/a\n', "f": b"f"}.items():
        member = tarfile.TarInfo(name)
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
context.seek(0)
image, log = client.images.build(
    fileobj=context, custom_context=True, tag="built:1", buildargs={"A": "x"}, labels={"l": "v"}, rm=True
)
check("build", image.tags == ["built:1"] and image.labels == {"l": "v"})
check("its log", any("Successfully built" in line.get("stream", "") for line in log))
check("what it built", client.containers.run("built:1", ["cat", "/a", "/f"], remove=True) == b"x\nf")
try:
    client.images.build(fileobj=io.BytesIO(b"FROM busybox\nRUN exit 3\n"), rm=True)
    check("a build that fails raises", False)
except docker.errors.BuildError as error:
    check("a build that fails raises", "non-zero code: 3" in str(error))
client.images.remove("built:1")
volume = client.volumes.create("vol2", labels={"a": "b"})
check("volumes", "vol2" in [v.name for v in client.volumes.list(filters={"label": "a"})])
volume.remove()
client.volumes.get("vol").remove()
check("prunes", "SpaceReclaimed" in client.containers.prune() and "VolumesDeleted" in client.volumes.prune())
check("df", "LayersSize" in client.df())
seen = list(client.events(since=1, until=int(__import__("time").time()) + 1, decode=True, filters={"container": "one"}))
check("events", "start" in [e["Action"] for e in seen])
sock = client.api.attach_socket(
    (c := client.api.create_container("busybox", ["cat"], stdin_open=True))["Id"],
    params={"stdin": 1, "stdout": 1, "stream": 1},
)
client.api.start(c["Id"])
sock._sock.sendall(b"through\n")
sock._sock.shutdown(1)
check("attach socket", client.api.wait(c["Id"])["StatusCode"] == 0)
check("what went through it", b"through\n" in client.api.logs(c["Id"]))
client.api.remove_container(c["Id"])
