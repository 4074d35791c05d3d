// The form that was typed before confirming is sent once more by itself; without scripts its button does it.
document.querySelector("form[data-goes-on]")?.requestSubmit();
