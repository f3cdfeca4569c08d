pub fn connect() -> Client {
    // toolbelt:allow needs the rule and a reason.
    let url = "amqp://worker:q8Rt2xLm9a@queue.internal:5672/"; // toolbelt:allow connection-string a server for tests
    Client::new(url)
}
