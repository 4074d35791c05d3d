"""Opens a workbook in LibreOffice with a passphrase and prints its cells as JSON; run by a Python that has `uno`.

    python3 open_by_uno.py PIPE PATH PASSPHRASE     exit 0 and the cells, or 3 when LibreOffice refuses to open it

It answers every question of LibreOffice for the passphrase with the one given, as a person would who has no other.
It leaves without taking Python down piece by piece: the bridge's threads outlive the interpreter and crash at times.
"""

import json
import os
import sys
import time

import uno
import unohelper
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.lang import IllegalArgumentException
from com.sun.star.task import ErrorCodeIOException, XInteractionHandler

REFUSED = 3


class NeverAnother(unohelper.Base, XInteractionHandler):
    """Breaks off whatever LibreOffice asks: nobody sits before it."""

    def handle(self, request):
        for one in request.getContinuations():
            if "Abort" in str(one):
                one.select()
                return


def leave(code):
    sys.stdout.flush()
    os._exit(code)


def connected(pipe):
    """LibreOffice's desktop, waited for."""
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(240):
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except NoConnectException:
            time.sleep(0.25)
        else:
            return context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
    sys.exit("LibreOffice did not answer")


def cells(document):
    """The texts of the first sheet's used cells, row by row."""
    sheet = document.Sheets.getByIndex(0)
    cursor = sheet.createCursor()
    cursor.gotoEndOfUsedArea(False)
    end = cursor.RangeAddress
    rows = range(end.EndRow + 1)
    return [[sheet.getCellByPosition(x, y).String for x in range(end.EndColumn + 1)] for y in rows]


def main():
    pipe, path, passphrase = sys.argv[1:]
    desktop = connected(pipe)
    given = {"Hidden": True, "ReadOnly": True, "Password": passphrase, "InteractionHandler": NeverAnother()}
    words = tuple(PropertyValue(Name=name, Value=value) for name, value in given.items())
    try:
        document = desktop.loadComponentFromURL(uno.systemPathToFileUrl(path), "_blank", 0, words)
    except (ErrorCodeIOException, IllegalArgumentException):
        document = None
    if document is None:
        leave(REFUSED)
    print(json.dumps(cells(document)))
    document.close(True)
    leave(0)


main()
