# チケットに対応する人のためのデスク。
agent-nav = デスク
agent-nav-views = ビュー
agent-nav-new = 新規チケット

agent-views = ビュー
agent-views-tickets = { $n ->
   *[other] 件のチケット
}
agent-views-count = { $n ->
   *[other] { $number } 件のチケット
}
agent-views-empty = このビューにチケットはありません。
agent-view-mine = 自分の未解決チケット
agent-view-unassigned = 担当者なし
agent-view-unsolved = すべての未解決チケット
agent-view-solved = 最近解決したチケット
agent-pages = ページ
agent-pages-previous = 前のページ
agent-pages-next = 次のページ

agent-column-number = 番号
agent-column-submitter = 登録者
agent-column-created = 依頼日時
agent-column-updated = 更新日時

agent-field-subject = 件名
agent-field-status = ステータス
agent-field-priority = 優先度
agent-field-type = 種類
agent-field-requester = 依頼者
agent-field-assignee = 担当者
agent-field-group = グループ
agent-field-tags = タグ
agent-field-ccs = CC
agent-field-followers = フォロワー
agent-field-due = 期限
agent-field-problem = 問題
agent-field-external = 外部 ID
agent-field-recipient = 受信アドレス
agent-field-comment = コメント
agent-field-files = ファイル
agent-fields = プロパティ
agent-faults = 次の項目をご確認ください

agent-status-new = 新規
agent-status-open = オープン
agent-status-pending = 返答待ち
agent-status-hold = 保留中
agent-status-solved = 解決済み
agent-status-closed = 終了
agent-priority-low = 低
agent-priority-normal = 中
agent-priority-high = 高
agent-priority-urgent = 緊急
agent-type-question = 質問
agent-type-incident = インシデント
agent-type-problem = 問題
agent-type-task = タスク

agent-new-title = 新規チケット
agent-new-requester = 依頼者のメールアドレス
agent-new-requester-hint = 未登録の方は、このチケットと一緒に登録されます。自分の依頼として開く場合は空欄にしてください。
agent-new-name = 依頼者の名前
agent-new-submit = チケットを開く
agent-said = 公開範囲
agent-said-reply = 公開：依頼者も読めます
agent-said-note = 社内メモ：担当者だけが読めます

agent-answer = 返信
agent-send = 保存
agent-send-anyway = 新しい内容に重ねて保存
agent-macro = マクロ
agent-macro-apply = 適用
agent-macro-filled = マクロを適用しました。まだ保存されていません。
agent-conflict = 先にほかの人が更新したため、保存されませんでした
agent-conflict-kept = 下書きは残っています。変更していない項目には新しい内容が表示されています。その間のやり取りは下にあります。
agent-conflict-changed = その間に変更された項目：
agent-closed = このチケットは終了しており、変更できません。
agent-thread = やり取り（新しい順）
agent-thread-newest = 最新に戻る
agent-thread-older = 以前のやり取り
agent-note = 社内メモ
agent-system = Domicile
agent-change-to = 変更後
agent-change-nothing = なし
agent-change-rule = トリガー：

agent-history = 履歴
agent-history-title = チケット #{ $id } の履歴
agent-history-step = イベント { $version } / { $last }
agent-history-previous = 前へ
agent-history-next = 次へ
agent-history-show = 表示
agent-history-then = この時点のチケット：
agent-history-not-there = このイベントの後、表示できるチケットはありません。
agent-history-events = イベント
agent-history-position = ログ上の位置：{ $position }
agent-history-proof = このイベントの証明をダウンロード
agent-history-no-proof = 証明は管理者と監査人がダウンロードできます。
agent-history-comments = { $n ->
   *[other] コメント { $n } 件
}
agent-event-opened = チケットが開かれました
agent-event-comment = コメントが追加されました
agent-event-changed = 変更がありました
agent-event-rule = トリガーが動作しました
agent-event-imported = チケットが取り込まれました
agent-event-followup = 別のチケットの続きです
agent-event-deleted = チケットが削除されました
agent-event-restored = チケットが復元されました
agent-event-erased = チケットが完全に消去されました
agent-event-gone = 内容は消去されています

agent-search = 検索
agent-search-hint = キーワード、または次のような条件：
agent-search-nothing = 見つかりませんでした。
agent-search-count = { $n ->
   *[other] { $number } 件
}
agent-search-tickets = チケット
agent-search-people = ユーザー
agent-organizations = 組織
agent-details = 詳細
agent-notes = メモ
agent-person-role = 役割
agent-person-reached = 連絡先
agent-person-phone = 電話
agent-person-since = 登録日時
agent-person-requested = 依頼したチケット
agent-person-assigned = 担当しているチケット
agent-organization-domains = ドメイン
agent-organization-people = ユーザー
agent-organization-tickets = チケット
agent-role-admin = 管理者
agent-role-agent = エージェント
agent-role-auditor = 監査人
agent-role-end-user = エンドユーザー
agent-views-empty-here = ありません。
agent-field-into = 統合先のチケット
agent-merge = 統合
agent-merge-title = チケット #{ $id } を別のチケットに統合
agent-merge-hint = 統合先のチケット番号です。このチケットは終了し、依頼者には統合先のメールが CC で届きます。
agent-merge-target = 統合先のチケットに残すメモ
agent-merge-source = このチケットに残すメモ
agent-merge-into-said = チケット #{ $id } は終了し、ここに統合されました。
agent-merge-from-said = このチケットは終了し、別のチケットに統合されました。

agent-saved = 保存しました。
agent-draft-restored = 未送信の下書きを復元しました。
agent-live-moved = このチケットは更新されました。新しい内容は下にあります。下書きはそのままです。
agent-live-looking = { $name }さんがこのチケットを見ています。
agent-live-typing = { $name }さんが入力中です。
agent-keys = キー操作
agent-close = 閉じる
agent-key-step = 次へ、前へ
agent-key-open = 選択した項目を開く
agent-key-reply = 公開で返信
agent-key-note = メモを書く
agent-key-keys = この一覧
