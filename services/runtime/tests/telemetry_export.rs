//! Spans reach a collector, and only ours do. Alone in its binary, because telemetry is set up once a process.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use runtime::telemetry::{self, Format, TelemetryConfig};

/// A request as the collector got it.
struct Export {
    path: String,
    body: Vec<u8>,
}

impl Export {
    fn holds(&self, needle: &[u8]) -> bool {
        self.body.windows(needle.len()).any(|window| window == needle)
    }
}

/// Accepts exports until the test ends.
fn collector() -> (String, Receiver<Export>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            thread::spawn(move || serve(stream, &sender));
        }
    });
    (url, receiver)
}

fn serve(stream: TcpStream, exports: &Sender<Export>) {
    let mut writer = stream.try_clone().expect("a second handle");
    let mut reader = BufReader::new(stream);
    loop {
        let Some(export) = read_request(&mut reader) else { return };
        let _ = exports.send(export);
        let _ =
            writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n");
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Export> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        lines.push(line.to_ascii_lowercase());
    }
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Export { path: lines.first()?.split(' ').nth(1)?.to_owned(), body })
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_reach_the_collector_with_their_links_and_nobody_elses_do() {
    let (endpoint, exports) = collector();
    let config = TelemetryConfig {
        format: Format::Json,
        filter: "warn".into(),
        otlp_endpoint: Some(endpoint),
        service_name: "domicile-test".into(),
        region: Some("eu".into()),
    };
    let telemetry = telemetry::init(config).expect("telemetry starts on a runtime's thread");

    let command = tracing::info_span!("desk.add_comment", tenant.id = "tenant-7");
    let trace_parent = command.in_scope(telemetry::trace_parent).expect("the span is traced");
    let worker = tracing::info_span!("projection.ticket_list.apply", position = 42);
    telemetry::link(&worker, &trace_parent);
    telemetry::link(&worker, "nonsense");
    drop((worker, command));
    drop(tracing::info_span!(target: "hyper::client", "an_export_of_an_export"));
    drop(tracing::debug_span!("too_fine"));
    telemetry.shutdown();

    let export = exports.recv_timeout(Duration::from_secs(20)).expect("shutdown sends what is held");
    assert_eq!(export.path, "/v1/traces");
    for expected in ["desk.add_comment", "tenant-7", "projection.ticket_list.apply", "domicile-test", "region", "eu"] {
        assert!(export.holds(expected.as_bytes()), "{expected} is missing");
    }
    for unexpected in ["an_export_of_an_export", "too_fine", "telemetry_export.rs"] {
        assert!(!export.holds(unexpected.as_bytes()), "{unexpected} got out");
    }
    // The trace id stands twice: in the command's own span and in the worker's link to it.
    let trace_id: Vec<u8> = trace_parent.as_bytes()[3..35]
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex"))
        .collect();
    let times = export.body.windows(16).filter(|window| *window == trace_id).count();
    assert_eq!(times, 2, "{trace_parent}");
}
