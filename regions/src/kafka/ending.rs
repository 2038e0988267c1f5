//! The end of a client, which may have to talk to brokers first: never on a thread that others work on.

use std::time::Duration;

use tokio::{sync::oneshot, time::timeout};

/// How long a client may take to end.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// Ends a client. It is given a few seconds; then its thread goes on alone, and ends with the process at the latest.
pub async fn kafka_end<T: Send + 'static>(client: T) {
    let _ = timeout(END_PATIENCE, ending(client)).await;
}

/// On a thread of its own: a runtime that ends waits for its blocking tasks, and brokers that are away would keep it.
fn ending<T: Send + 'static>(client: T) -> oneshot::Receiver<()> {
    let (ended, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        drop(client);
        let _ = ended.send(());
    });
    receiver
}

/// A client that nobody has been given yet. If nobody is, because it is refused or nobody waits for it any more, it ends by itself.
pub(super) struct Guarded<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> Guarded<T> {
    pub(super) const fn new(client: T) -> Self {
        Self(Some(client))
    }

    pub(super) fn get(&self) -> &T {
        self.0.as_ref().expect("a client is taken together with its guard")
    }

    pub(super) fn take(mut self) -> T {
        self.0.take().expect("a client is taken together with its guard")
    }
}

impl<T: Send + 'static> Drop for Guarded<T> {
    fn drop(&mut self) {
        drop(self.0.take().map(ending));
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    /// Tells on which thread it ends.
    struct Tells(mpsc::Sender<thread::ThreadId>);

    impl Drop for Tells {
        fn drop(&mut self) {
            let _ = self.0.send(thread::current().id());
        }
    }

    #[test]
    fn a_client_that_nobody_was_given_ends_on_a_thread_of_its_own() {
        let (ended, ends) = mpsc::channel();
        let client = || Guarded::new(Tells(ended.clone()));
        drop(client());
        assert_ne!(ends.recv(), Ok(thread::current().id()));
        drop(client().take());
        assert_eq!(ends.recv(), Ok(thread::current().id()), "who was given it ends it");
    }
}
