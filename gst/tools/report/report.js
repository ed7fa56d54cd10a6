(function () {
  var tip = document.getElementById('tip');
  function show(e) {
    var mark = e.target.closest && e.target.closest('[data-tip]');
    if (!mark) { tip.hidden = true; return; }
    tip.textContent = mark.getAttribute('data-tip');
    tip.hidden = false;
    var x = Math.min(e.clientX + 14, innerWidth - tip.offsetWidth - 8);
    var y = e.clientY + 18 + tip.offsetHeight > innerHeight ? e.clientY - tip.offsetHeight - 10 : e.clientY + 18;
    tip.style.left = Math.max(4, x) + 'px';
    tip.style.top = y + 'px';
  }
  document.addEventListener('mousemove', show);
  document.addEventListener('click', show);
  // The page's own hint replaces the browser's.
  document.querySelectorAll('[data-tip] > title').forEach(function (t) { t.remove(); });
})();
