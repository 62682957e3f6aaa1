"""From a document to a printer: the queue, the store's printers, their drivers and cables.

`queue` never loses or repeats a document; `working_off` prints it; `escpos` and `wires` know the hardware.
"""
