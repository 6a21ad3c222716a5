#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod backoff;
mod dynamic;
mod error;
mod exit;
mod handle;
mod intensity;
mod probe;
mod snapshot;
mod spec;
mod start;
mod stop;
mod strategy;
mod supervisor;

pub use backoff::{Backoff, Jitter};
pub use dynamic::{ChildExit, Decision, DynamicHandle, DynamicSpec, Key};
pub use error::{HandleError, StartError};
pub use exit::{ExitReason, SHUTDOWN};
pub use handle::SupervisorHandle;
pub use intensity::{Intensity, RestartWindow, Verdict};
pub use probe::{Echo, Probe, Prober, Pulse};
pub use snapshot::{Census, ChildInfo, ChildState, Observer, Overview};
pub use spec::{ChildId, ChildSpec, Kind, Restart, Shutdown};
pub use start::{StartFn, Started};
pub use strategy::{AfterExit, Strategy};
pub use supervisor::SupervisorSpec;
