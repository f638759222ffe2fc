"""Opens Flower's pages in headless Chromium, presses their buttons, and stores screenshots: look.py URL FOLDER. Started by look.sh."""
import json
import pathlib
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

PATIENCE = 60
TABS = ["pool", "broker", "queues", "tasks", "limits", "config", "system", "other"]
HOST = socket.gethostname()


def eventually(condition, what):
    deadline = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.2)


class Flower:
    """The HTTP API, to have something to look at."""

    def __init__(self, url):
        self.url = url

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as response:
                return json.load(response)
        except (OSError, ValueError):
            return {}

    def refresh(self, node):
        """Has the worker asked again: the pages show what it answered last."""
        return self.get(f"/api/workers?refresh=1&workername={node}").get(node, {})

    def send(self, task, *args, **options):
        body = json.dumps({"args": args, **options}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/api/task/send-task/{task}", body), timeout=30) as response:
            return json.load(response)["task-id"]

    def wait_for_worker(self, node):
        eventually(lambda: "stats" in self.refresh(node), f"{node} is known")

    def wait_for_queue(self, node, queue):
        eventually(lambda: queue in [known["name"] for known in self.refresh(node).get("active_queues", [])], f"{node} consumes {queue}")

    def wait_for_state(self, task, state):
        eventually(lambda: self.get(f"/api/task/info/{task}").get("state") == state, f"{task} is {state}")


class Browser:
    def __init__(self, url, folder):
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,1500", "--disable-gpu"):
            options.add_argument(argument)
        options.binary_location = shutil.which("chromium")
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.driver.set_page_load_timeout(PATIENCE)
        self.url = url
        self.folder = pathlib.Path(folder)
        self.count = 0

    def open(self, path):
        self.driver.get(self.url + path)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def click(self, selector):
        self.driver.execute_script("arguments[0].click()", self.find(selector))

    def type(self, selector, text):
        field = self.find(selector)
        field.clear()
        field.send_keys(str(text))

    def shoot(self, name):
        self.count += 1
        path = self.folder / f"{self.count:02}-{name}.png"
        self.driver.save_screenshot(str(path))
        print(f"  {path.name}", flush=True)

    def toast(self):
        """What Flower says about a button."""
        def text():
            shown = [element.text.strip() for element in self.driver.find_elements(By.CSS_SELECTOR, ".toast")]
            return next((line for line in reversed(shown) if line), None)
        return eventually(text, "an answer to the button")

    def rows(self, tab):
        """The first cells of the rows of a worker's tab."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0] + ' tbody tr')].map(row => row.cells[0].textContent.trim())", f"#tab-{tab}")

    def show_tab(self, tab):
        self.click(f"#worker-tab-{tab}")
        eventually(lambda: self.find(f"#tab-{tab}").is_displayed(), f"tab {tab}")
        time.sleep(0.3)


def main():
    url, folder = sys.argv[1:]
    flower = Flower(url)
    nodes = {name: f"{name}@{HOST}" for name in ("swift", "scaled", "python")}
    for node in nodes.values():
        flower.wait_for_worker(node)
    tasks = feed(flower)
    for node in nodes.values():
        flower.wait_for_worker(node)
    browser = Browser(url, folder)
    failed = []

    def step(title, body):
        try:
            print(f"{title}: {body() or ''}", flush=True)
        except (WebDriverException, TimeoutError, urllib.error.URLError) as error:
            failed.append(title)
            print(f"{title}: FAILED {error!r}", flush=True)
            browser.shoot(f"failed-{len(failed)}")

    try:
        show_pages(browser, nodes, tasks, step)
        press_buttons(browser, flower, nodes, tasks, step)
    finally:
        browser.driver.quit()
    print(f"{len(failed)} steps failed" + "".join(f"\n  {title}" for title in failed))
    return 1 if failed else 0


def feed(flower):
    """Tasks of every fate on the Swift worker and on Celery's."""
    tasks = {}
    for queue in ("swift", "python"):
        tasks[queue, "good"] = flower.send("demo.add", 2, 3, queue=queue)
        tasks[queue, "bad"] = flower.send("demo.fail", "no luck", queue=queue)
        tasks[queue, "again"] = flower.send("demo.retry", 1, queue=queue)
        tasks[queue, "held"] = flower.send("demo.mul", 6, 7, queue=queue, countdown=600)  # what is later than the consumer timeout of the broker waits there
        for state, fate in (("SUCCESS", "good"), ("FAILURE", "bad"), ("SUCCESS", "again"), ("RECEIVED", "held")):
            flower.wait_for_state(tasks[queue, fate], state)
        tasks[queue, "running"] = flower.send("demo.block", 600, queue=queue)
        flower.wait_for_state(tasks[queue, "running"], "STARTED")
    return tasks


def show_pages(browser, nodes, tasks, step):
    def workers():
        browser.open("/workers")
        time.sleep(5)
        browser.shoot("workers")
        return " | ".join(browser.find("#workers-table tbody").text.splitlines())

    step("workers", workers)
    rows = {}
    for name in ("swift", "python"):
        def tabs(name=name):
            browser.open(f"/worker/{nodes[name]}")
            for tab in TABS:
                browser.show_tab(tab)
                rows[name, tab] = browser.rows(tab)
                browser.shoot(f"{name}-{tab}")
        step(f"tabs of {name}", tabs)
    for tab in TABS:
        compare(tab, rows.get(("swift", tab), []), rows.get(("python", tab), []))

    def scaled():
        browser.open(f"/worker/{nodes['scaled']}")
        browser.shoot("scaled-pool")
    step("a worker with autoscale", scaled)

    def task_list():
        browser.open("/tasks")
        time.sleep(3)
        browser.shoot("tasks")
        return f"{len(browser.driver.find_elements(By.CSS_SELECTOR, '#tasks-table tbody tr'))} rows"
    step("task list", task_list)
    for (queue, fate), task in tasks.items():
        def detail(queue=queue, fate=fate, task=task):
            browser.open(f"/task/{task}")
            browser.shoot(f"task-{queue}-{fate}")
        step(f"task {queue} {fate}", detail)


def compare(tab, swift, python):
    """Prints which rows only one worker has."""
    if tab in ("tasks", "queues"):
        return
    missing = [row for row in python if row not in swift]
    more = [row for row in swift if row not in python]
    print(f"tab {tab}: {len(swift)} rows; only Celery's worker has {missing or 'none'}; only the Swift worker has {more or 'none'}", flush=True)


def press_buttons(browser, flower, nodes, tasks, step):
    swift = f"/worker/{nodes['swift']}"

    def button(title, page, tab, selector, fields=()):
        def press():
            browser.open(page)
            if tab:
                browser.show_tab(tab)
            for field, value in fields:
                browser.type(field, value)
            browser.click(selector)
            said = browser.toast()
            browser.shoot(title.replace(" ", "-"))
            return said
        step(title, press)

    def limit(title, task, button_id, value):
        """The buttons of the limits read the field that stands before them."""
        def press():
            browser.open(swift)
            browser.show_tab("limits")
            pressed = browser.driver.find_element(By.CSS_SELECTOR, f"[id^='{button_id}-{task}']")
            field = pressed.find_element(By.XPATH, "../input")
            field.send_keys(str(value))
            browser.driver.execute_script("arguments[0].click()", pressed)
            said = browser.toast()
            browser.shoot(title.replace(" ", "-"))
            return said
        step(title, press)

    button("grow", swift, "pool", "#worker-pool-grow", [("#pool-size", 2)])
    button("shrink", swift, "pool", "#worker-pool-shrink", [("#pool-size", 1)])
    button("autoscale", f"/worker/{nodes['scaled']}", "pool", "#worker-pool-autoscale", [("#min-autoscale", 2), ("#max-autoscale", 4)])
    button("add consumer", swift, "queues", "#worker-add-consumer", [("#add-consumer-name", "added")])
    step("the added queue", lambda: flower.wait_for_queue(nodes["swift"], "added"))
    button("cancel consumer", swift, "queues", "#worker-cancel-consumer-added")
    limit("rate limit", "demo.mul", "task-rate-limit", 5)
    limit("soft time limit", "demo.mul", "task-timeout-soft", 10)
    limit("hard time limit", "demo.mul", "task-timeout-hard", 20)
    button("revoke", f"/task/{tasks['swift', 'held']}", None, "#task-revoke")
    button("terminate", f"/task/{tasks['swift', 'running']}", None, "#task-terminate")

    def terminated():
        flower.wait_for_state(tasks["swift", "running"], "REVOKED")
        browser.open(f"/task/{tasks['swift', 'running']}")
        browser.shoot("task-swift-terminated")
    step("the terminated task", terminated)
    button("restart the pool", swift, None, "#worker-pool-restart")
    button("refresh", swift, None, "#worker-refresh")
    button("shut down", swift, None, "#worker-shutdown")

    def offline():
        time.sleep(6)
        browser.open("/workers")
        time.sleep(5)
        browser.shoot("workers-after-shutdown")
        return " | ".join(browser.find("#workers-table tbody").text.splitlines())
    step("workers after the shutdown", offline)


if __name__ == "__main__":
    sys.exit(main())
