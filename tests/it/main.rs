//! What the bank promises, a module a promise, held against the built binary over gRPC and HTTP.
//!
//! [`bank::Bank`] is the one fixture. Every scenario that leaves a whole database ends with `check_log`, which derives
//! all of it again. Nothing here sleeps to wait for something, but that it asks again until the bank has done what follows
//! by itself; every wait has a bound.

mod audit;
mod bank;
mod chance;
mod http;
mod institution;
mod standards;
mod statistics;
mod writes;

mod access;
mod append;
mod archive;
mod backup;
mod crash;
mod credentials;
mod damage;
mod delta;
mod doctor;
mod erase;
mod fuzz;
mod gateway;
mod golden;
mod import;
mod independent;
mod mirror;
mod model;
mod operate;
mod output;
mod peers;
mod points;
mod projects;
mod python;
mod recognition;
mod reconcile;
mod recount;
mod refusals;
mod regions;
mod requests;
mod roles;
mod rotation;
mod rules;
mod successors;
mod tokens;
mod torture;
mod transfers;
mod transport;
mod views;
