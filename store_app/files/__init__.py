"""Tables in and out: reading CSV, XLSX, Parquet and calendars, and what each import does."""
