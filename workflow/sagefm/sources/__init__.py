"""Where raw files come from: a module a source, found by its name.

A source says, without asking anybody, which raw files an address of a sheet stands for
(`raw_path`), and, when the file is wanted, where it is to be had today (`locate`). To add one, add
a file with these two functions and a line `HELP`; `transfer` does the rest.
"""
