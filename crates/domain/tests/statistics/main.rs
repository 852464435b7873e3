//! Statistics: figures that follow every change of an archive, and tables that nobody is found in.

mod attack;
mod figures;
mod fixture;
mod yearbook;
