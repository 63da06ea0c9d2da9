//! The wish to stop, which a signal raises and everything that waits looks at.

use std::time::Duration;
use tokio::sync::watch;

/// A wish to stop; clones share it.
#[derive(Debug, Clone)]
pub struct Signal {
    raised: watch::Receiver<bool>,
    // Keeps the channel open where nothing ever raises it.
    _sender: watch::Sender<bool>,
}

/// Raises a [`Signal`].
#[derive(Debug, Clone)]
pub struct Raise(watch::Sender<bool>);

impl Raise {
    /// From now on everything that looks stops.
    pub fn raise(&self) {
        self.0.send_replace(true);
    }
}

impl Signal {
    /// A signal that is not raised, and what raises it.
    pub fn new() -> (Raise, Signal) {
        let (sender, raised) = watch::channel(false);
        (Raise(sender.clone()), Signal { raised, _sender: sender })
    }

    /// A signal that nothing raises.
    pub fn never() -> Signal {
        Self::new().1
    }

    /// Whether it is raised.
    pub fn is_raised(&self) -> bool {
        *self.raised.borrow()
    }

    /// Waits until it is raised.
    pub async fn raised(&mut self) {
        // The sender is held by this very value, so that the channel cannot close.
        let _ = self.raised.wait_for(|raised| *raised).await;
    }

    /// Waits for `time`, or less: true where it was raised.
    pub async fn raised_within(&self, time: Duration) -> bool {
        let mut own = self.clone();
        tokio::time::timeout(time, own.raised()).await.is_ok()
    }
}
